"""What the worker counts, for Prometheus. A registry of its own, so that two workers in one test do not mix."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_HANDLE_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """The worker's metrics; queue is `work` or `express`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._received = Counter(
            "orderboard_worker_received", "Messages received, again or not.", ["queue"], registry=self.registry
        )
        self._messages = Counter(
            "orderboard_worker_messages",
            "Messages by what became of them.",
            ["queue", "outcome"],
            registry=self.registry,
        )
        self._handle_seconds = Histogram(
            "orderboard_worker_handle_seconds",
            "Seconds from taking a message in hand to its verdict.",
            ["queue"],
            buckets=_HANDLE_BUCKETS_S,
            registry=self.registry,
        )
        self._aws_requests = Counter(
            "orderboard_aws_requests", "Requests to AWS, retries too.", ["service", "operation"], registry=self.registry
        )
        self._aws_entries = Counter(
            "orderboard_aws_entries",
            "Messages, events or statements in calls to AWS.",
            ["service", "operation"],
            registry=self.registry,
        )
        self.in_hand = Gauge(
            "orderboard_worker_in_hand", "Messages in this process, waiting or at work.", registry=self.registry
        )

    def received(self, queue: str, count: int) -> None:
        """Count messages that a poll brought."""
        self._received.labels(queue).inc(count)

    def handled(self, queue: str, outcome: str, seconds: float) -> None:
        """Count a message that was looked at: an outcome of an order, retried, poison or lost."""
        self._messages.labels(queue, outcome).inc()
        self._handle_seconds.labels(queue).observe(seconds)

    def asked_aws(self, service: str, operation: str, requests: int, entries: int) -> None:
        """Count requests to AWS, and what was in them."""
        self._aws_requests.labels(service, operation).inc(requests)
        self._aws_entries.labels(service, operation).inc(entries)

"""The worker's Prometheus metrics, in a registry per worker, so that two workers in one test stay apart."""

from orderboard_aws_client.request_metrics import RequestMetrics
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_HANDLE_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """The worker's metrics; queue is `work` or `express`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.aws_requests = RequestMetrics(self.registry)
        self._received = Counter(
            "orderboard_worker_received",
            "Messages received, including redeliveries.",
            ["queue"],
            registry=self.registry,
        )
        self._messages = Counter(
            "orderboard_worker_messages", "Messages by outcome.", ["queue", "outcome"], registry=self.registry
        )
        self._handle_seconds = Histogram(
            "orderboard_worker_handle_seconds",
            "Seconds from the start of handling a message to its verdict.",
            ["queue"],
            buckets=_HANDLE_BUCKETS_S,
            registry=self.registry,
        )
        self.held = Gauge(
            "orderboard_worker_held_messages",
            "Messages that this process holds: buffered or being handled.",
            registry=self.registry,
        )

    def received(self, queue: str, count: int) -> None:
        """Count the messages of a poll."""
        self._received.labels(queue).inc(count)

    def handled(self, queue: str, outcome: str, seconds: float) -> None:
        """Count a handled message: outcome is that of an order, or retried, poison or lost."""
        self._messages.labels(queue, outcome).inc()
        self._handle_seconds.labels(queue).observe(seconds)

"""Prometheus counters of the requests that a service sends to AWS."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

# Called with service, operation, number of requests and number of entries.
CountRequests = Callable[[str, str, int, int], None]


class RequestMetrics:
    """Counters of requests and of their entries, by service and operation."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("service", "operation")
        self._requests = Counter(
            "orderboard_aws_requests_total", "Requests to AWS, including retries.", labels, registry=registry
        )
        self._entries = Counter(
            "orderboard_aws_entries_total",
            "Messages, events or statements in calls to AWS.",
            labels,
            registry=registry,
        )
        self._of: dict[tuple[str, str], tuple[Counter, Counter]] = {}  # as labels() costs more than inc()

    def count(self, service: str, operation: str, requests: int, entries: int) -> None:
        """Add requests and entries; this is a CountRequests function."""
        kind = (service, operation)
        if (counters := self._of.get(kind)) is None:
            counters = self._of[kind] = self._requests.labels(*kind), self._entries.labels(*kind)
        counters[0].inc(requests)
        counters[1].inc(entries)

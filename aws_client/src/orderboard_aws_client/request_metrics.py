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

    def count(self, service: str, operation: str, requests: int, entries: int) -> None:
        """Add requests and entries; this is a CountRequests function."""
        self._requests.labels(service, operation).inc(requests)
        self._entries.labels(service, operation).inc(entries)

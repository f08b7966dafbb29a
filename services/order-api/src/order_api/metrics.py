"""Prometheus metrics of the API. Labels are route templates and status codes, never text that a client sent."""

from typing import Final

from fastapi import APIRouter, Request, Response
from orderboard_aws_client.request_metrics import RequestMetrics
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import Scope

from order_api.trace import METHODS

_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

router = APIRouter()


class Metrics:
    """The metrics of one app, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.aws_requests = RequestMetrics(self.registry)
        self.orders = Counter(
            "orderboard_api_orders_total", "Orders by kind of response.", ["result"], registry=self.registry
        )
        self.seconds = Histogram(
            "orderboard_api_request_seconds",
            "Seconds from the first byte of a request to the last byte of its response.",
            ["method", "route", "status"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "orderboard_api_publish_waiting",
            "Commands that wait for a call to SNS or EventBridge.",
            ["service"],
            registry=self.registry,
        )
        self._orders_with = {result: self.orders.labels(result) for result in ("accepted", "refused", "unavailable")}

        self._of_kind: dict[tuple[str, str, int], Histogram] = {}  # as labels() costs more than an observation

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", "unmatched")
        kind = (method, route, status)
        if (histogram := self._of_kind.get(kind)) is None:
            histogram = self._of_kind[kind] = self.seconds.labels(method, route, str(status))
        histogram.observe(seconds)
        if method == "POST" and scope["path"] == "/orders":
            self._orders_with[_result(status)].inc()


def _result(status: int) -> str:
    if status < 400:
        return "accepted"
    return "refused" if status < 500 else "unavailable"


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return all metrics in Prometheus' text format."""
    instruments: Metrics = request.app.state.metrics
    return Response(generate_latest(instruments.registry), media_type=CONTENT_TYPE_LATEST)

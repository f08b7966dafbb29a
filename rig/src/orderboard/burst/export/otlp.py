"""The metrics of a running burst for OpenTelemetry: pushed by OTLP, under their names in Prometheus.

OpenTelemetry's variables turn it on and say where to: OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_METRICS_EXPORTER=otlp.
https://opentelemetry.io/docs/specs/otel/metrics/data-model/
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import export as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from orderboard_contracts.otlp_settings import endpoint_of
from prometheus_client.core import Metric

from orderboard.burst.export.metrics import Metrics
from orderboard.burst.live.feed import Feed
from orderboard.errors import UsageError
from orderboard.web.listening import is_loopback

_INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_INTERVAL_S: Final = 5.0
# One push may take so long, retries included; the end of the burst waits for the last one.
_PUSH_WITHIN_S: Final = 3.0
_CUMULATIVE: Final = otel.AggregationTemporality.CUMULATIVE


@contextmanager
def pushed(feed: Feed, warn: Callable[[str], None]) -> Iterator[None]:
    """Push the metrics of the feed from a thread while the block runs, and once more at its end.

    warn gets one line if the collector does not take them, which disturbs nothing else. Raises UsageError for an
    interval that is not valid.
    """
    interval_s = _interval_s(os.environ)
    push = _Push(feed, warn)
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(interval_s):
            push.once()
        push.once()

    thread = threading.Thread(target=run, name="otlp-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(2 * _PUSH_WITHIN_S)
        push.close()


class _Push:
    def __init__(self, feed: Feed, warn: Callable[[str], None]) -> None:
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # it logs every attempt
        self._feed, self._warn = feed, warn
        self._exporter = OTLPMetricExporter(timeout=_PUSH_WITHIN_S, session=_session())
        self._resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "orderboard-burst"})
        self._current: Metrics | None = None
        self._began_ns = 0
        self._warned = False

    def once(self) -> None:
        """Push the metrics of the burst that runs; each burst of the command counts from zero."""
        if (metrics := self._feed.metrics) is None:
            return
        if metrics is not self._current:
            self._current, self._began_ns = metrics, time.time_ns()
        found = [each for family in metrics.families() if (each := as_otlp(family, self._began_ns, time.time_ns()))]
        scope = otel.ScopeMetrics(InstrumentationScope("orderboard"), found, "")
        data = otel.MetricsData([otel.ResourceMetrics(self._resource, [scope], "")])
        if self._exporter.export(data) is otel.MetricExportResult.SUCCESS or self._warned:
            return
        self._warned = True
        self._warn(
            f"Warning: {endpoint_of(os.environ, 'metrics')} does not take the burst's metrics. The burst goes on "
            "without them. Is it a collector that speaks OTLP by HTTP? OTEL_METRICS_EXPORTER=none turns them off."
        )

    def close(self) -> None:
        """End what is under way."""
        self._exporter.shutdown(timeout_millis=0)


def _session() -> Any:
    """Return a session that reaches a collector on this machine directly, whatever proxy the shell has for others."""
    session = requests.Session()
    session.trust_env = not is_loopback(urlsplit(endpoint_of(os.environ, "metrics")).hostname or "")
    return session


def as_otlp(family: Metric, began_ns: int, at_ns: int) -> otel.Metric | None:
    """Return a Prometheus metric as OpenTelemetry's; None without a sample."""
    if not family.samples:
        return None
    data: Any
    match family.type:
        case "histogram":
            data = otel.Histogram([_histogram(family, began_ns, at_ns)], _CUMULATIVE)
        case "counter":
            data = otel.Sum(_points(family, began_ns, at_ns), _CUMULATIVE, is_monotonic=True)
        case _:
            data = otel.Gauge(_points(family, began_ns, at_ns))
    name = f"{family.name}_info" if family.type == "info" else family.name
    return otel.Metric(name, family.documentation, "", data)


def _points(family: Metric, began_ns: int, at_ns: int) -> list[otel.NumberDataPoint]:
    return [otel.NumberDataPoint(dict(each.labels), began_ns, at_ns, float(each.value)) for each in family.samples]


def _histogram(family: Metric, began_ns: int, at_ns: int) -> otel.HistogramDataPoint:
    """Return the buckets, which Prometheus counts up to each bound, and OpenTelemetry between the bounds."""
    upto = [(each.labels["le"], int(each.value)) for each in family.samples if each.name.endswith("_bucket")]
    (total,) = [each.value for each in family.samples if each.name.endswith("_sum")]
    counts = [count - before for (_, count), before in zip(upto, (0, *(count for _, count in upto)), strict=False)]
    unknown: Any = None  # the least and the greatest value
    return otel.HistogramDataPoint(
        attributes={},
        start_time_unix_nano=began_ns,
        time_unix_nano=at_ns,
        count=upto[-1][1],
        sum=total,
        bucket_counts=counts,
        explicit_bounds=[float(bound) for bound, _ in upto[:-1]],
        min=unknown,
        max=unknown,
    )


def _interval_s(environ: Mapping[str, str]) -> float:
    text = environ.get(_INTERVAL, "").strip()
    if not text:
        return _INTERVAL_S
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise UsageError(f"{_INTERVAL} is {text!r}; give a whole number of milliseconds, such as 1000.")
    return int(text) / 1000

"""The metrics of a burst for Prometheus: scraped while it runs, and as an OpenMetrics file of its end."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from orderboard.burst.measure.recorder import Second
from orderboard.burst.model import BurstVerdict, Settings

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_PREFIX: Final = "orderboard_burst"
_BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)


@dataclass
class Buckets:
    """Latencies counted by bucket, as they come."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS_MS) + 1))
    sum_ms: float = 0.0

    def add(self, values_ms: Iterable[float]) -> None:
        """Count more values."""
        ordered = sorted(values_ms)
        self.sum_ms += sum(ordered)
        below = 0
        for number, bound in enumerate(_BOUNDS_MS):
            upto = bisect_right(ordered, bound)
            self.counts[number] += upto - below
            below = upto
        self.counts[-1] += len(ordered) - below

    def family(self, name: str, documentation: str) -> Metric:
        """Return the histogram, in seconds."""
        total, buckets = 0, []
        for bound, count in zip((*(str(bound / 1000) for bound in _BOUNDS_MS), "+Inf"), self.counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return HistogramMetricFamily(name, documentation, buckets=buckets, sum_value=self.sum_ms / 1000)


@dataclass
class Metrics:
    """The metrics, to be changed by the runner's thread and read by another: each value is right when it is read."""

    settings: Settings
    sent: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    finished: int = 0
    gauges: dict[str, float] = field(default_factory=dict)
    accept: Buckets = field(default_factory=Buckets)
    end_to_end: Buckets = field(default_factory=Buckets)
    verdict: BurstVerdict | None = None

    def add_all(self, seconds: Mapping[int, Second]) -> None:
        """Count the latencies of a whole run."""
        for second in seconds.values():
            self.accept.add(second.accept_ms)
            self.end_to_end.add(second.end_to_end_ms)

    def families(self) -> Iterator[Metric]:
        """Yield the metrics as Prometheus has them."""
        settings = self.settings
        info = {"backend": settings.backend, "profile": settings.profile, "mix": settings.mix}
        yield InfoMetricFamily(_PREFIX, "The plan.", value=info)
        yield GaugeMetricFamily(f"{_PREFIX}_planned_orders", "Orders to send.", value=settings.orders)
        yield CounterMetricFamily(f"{_PREFIX}_sent", "Orders sent.", value=self.sent)
        answers = CounterMetricFamily(f"{_PREFIX}_answers", "Orders by their answer.", labels=["answer"])
        for answer, count in self.answers.items():
            answers.add_metric([answer], count)
        yield answers
        yield CounterMetricFamily(f"{_PREFIX}_finished", "Orders with an outcome event.", value=self.finished)
        yield self.accept.family(f"{_PREFIX}_accept_latency_seconds", "From the intended send time to the answer 202.")
        yield self.end_to_end.family(
            f"{_PREFIX}_end_to_end_latency_seconds", "From the intended send time to the outcome event."
        )
        for name, value in self.gauges.items():
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", _GAUGES[name], value=value)
        if self.verdict is not None:
            yield GaugeMetricFamily(f"{_PREFIX}_valid", "1 if the verdict is valid.", value=int(self.verdict.valid))
            findings = GaugeMetricFamily(f"{_PREFIX}_findings", "Orders by what is wrong with them.", labels=["class"])
            for name in ("lost", "duplicated", "unexpected"):
                findings.add_metric([name], getattr(self.verdict, name))
            yield findings

    def text(self) -> bytes:
        """Return the metrics in the OpenMetrics format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(self))
        text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
        return text


_GAUGES: Final = {
    "unfinished_orders": "Orders accepted and not finished.",
    "oldest_unfinished_seconds": "Age of the oldest order that was accepted and not finished; 0 without any.",
    "backlog_messages": "Messages in the work and express queues.",
    "dead_letter_messages": "Messages in all dead-letter queues.",
    "workers": "Workers that run and are not frozen.",
}


class _Families(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics.families()

"""The counts and values of a resource since its metrics were last published, by the names of the metrics."""

from __future__ import annotations


class MetricCounts:
    """The metrics of one resource. A `values` entry is a statistic set: samples, sum, minimum and maximum."""

    __slots__ = ("counts", "values")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.values: dict[str, tuple[int, float, float, float]] = {}

    def add(self, metric: str, times: int = 1) -> None:
        """Count an event."""
        self.counts[metric] = self.counts.get(metric, 0) + times

    def record(self, metric: str, value: float) -> None:
        """Add a value, such as a size or a duration."""
        samples, total, low, high = self.values.get(metric, (0, 0.0, value, value))
        self.values[metric] = (samples + 1, total + value, min(low, value), max(high, value))

    def take(self) -> MetricCounts:
        """Return what there is, and begin again."""
        taken = MetricCounts()
        taken.counts, self.counts = self.counts, {}
        taken.values, self.values = self.values, {}
        return taken

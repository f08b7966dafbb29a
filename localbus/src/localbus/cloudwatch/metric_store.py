"""The data points of all metrics: one a minute, and one a second for metrics of high resolution.

Points are kept by the minute, so that the oldest go together, and each minute is one record in the storage.
CloudWatch keeps a minute for 15 days and a second for 3 hours; localbus keeps a minute for 3 days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from localbus.cloudwatch.metric import MINUTE_S, MetricId, Point, merged
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

KEEP_MINUTES_S: Final = 3 * 86_400
KEEP_SECONDS_S: Final = 3 * 3_600
# ListMetrics leaves out metrics without data for two weeks.
LISTED_FOR_S: Final = 14 * 86_400

_MINUTE = "cloudwatch.minute"  # the kind of its record, by the time of the minute

Series = tuple[MetricId, str]  # a metric and a unit
Bucket = dict[Series, Point]


class MetricStore:
    """The data points of one engine, by the start of their minute or second."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._minutes: dict[int, Bucket] = {}
        self._seconds: dict[int, Bucket] = {}
        self._last_at: dict[MetricId, dict[str, float]] = {}  # the latest point by unit

    def restore(self) -> None:
        """Read all minutes from the storage, when the engine starts."""
        for _, key, rows in self._storage.records(_MINUTE):
            self._minutes[int(key)] = dict(_stored_point(row) for row in rows)
            for metric, unit in self._minutes[int(key)]:
                self._note(metric, unit, float(key))

    def add(self, metric: MetricId, unit: str, at: float, point: Point, *, high_resolution: bool = False) -> None:
        """Add a data point to those of its minute, and of its second."""
        minute = int(at // MINUTE_S) * MINUTE_S
        if minute not in self._minutes:
            self._drop_old(minute)
        _add(self._minutes, minute, (metric, unit), point)
        if high_resolution:
            _add(self._seconds, int(at), (metric, unit), point)
        self._note(metric, unit, at)
        self._storage.save(_MINUTE, str(minute), lambda: [_row(*one) for one in self._minutes[minute].items()])

    def _note(self, metric: MetricId, unit: str, at: float) -> None:
        units = self._last_at.setdefault(metric, {})
        units[unit] = max(at, units.get(unit, 0.0))

    def _drop_old(self, now: int) -> None:
        for minute in [one for one in self._minutes if one < now - KEEP_MINUTES_S]:
            del self._minutes[minute]
            self._storage.delete(_MINUTE, str(minute))
        for second in [one for one in self._seconds if one < now - KEEP_SECONDS_S]:
            del self._seconds[second]

    def metrics(self, now: float) -> Iterator[tuple[MetricId, float]]:
        """Yield each metric with data in the last two weeks, and the time of its latest point."""
        for metric, units in self._last_at.items():
            at = max(units.values())
            if at >= now - LISTED_FOR_S:
                yield metric, at

    def units(self, metric: MetricId) -> tuple[str, ...]:
        """Return the units with which a metric was published."""
        return tuple(self._last_at.get(metric, ()))

    def points(self, metric: MetricId, unit: str | None, periods: range) -> dict[int, Point]:
        """Return the data of each period that has some, by its start, of one unit or of all. `periods` has no gaps."""
        period_s = periods.step
        buckets, step = (self._seconds, 1) if period_s < MINUTE_S else (self._minutes, MINUTE_S)
        times: Sequence[int] = range(periods.start, periods.stop, step)
        if len(times) > len(buckets):
            times = sorted(at for at in buckets if periods.start <= at < periods.stop)
        units = self.units(metric) if unit is None else (unit,)
        found: dict[int, list[Point]] = {}
        for at in times:
            bucket = buckets.get(at, {})
            for one in units:
                point = bucket.get((metric, one))
                if point is not None:
                    found.setdefault(at - (at - periods.start) % period_s, []).append(point)
        return {at: merged(points) for at, points in found.items()}


def _add(buckets: dict[int, Bucket], at: int, series: Series, point: Point) -> None:
    bucket = buckets.setdefault(at, {})
    before = bucket.get(series)
    bucket[series] = point if before is None else merged([before, point])


def _row(series: Series, point: Point) -> Document:
    (account, region, namespace, name, dimensions), unit = series
    values = None if point.values is None else [list(one) for one in point.values.items()]
    return [account, region, namespace, name, [list(one) for one in dimensions], unit, *point[:4], values]


def _stored_point(row: Document) -> tuple[Series, Point]:
    account, region, namespace, name, dimensions, unit, count, total, minimum, maximum, values = row
    metric = MetricId(account, region, namespace, name, tuple((one, value) for one, value in dimensions))
    occurrences = None if values is None else dict(values)
    return (metric, unit), Point(count, total, minimum, maximum, occurrences)

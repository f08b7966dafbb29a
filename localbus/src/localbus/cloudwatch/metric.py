"""A metric and its data points.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

MINUTE_S: Final = 60
NO_UNIT: Final = "None"
# PutMetricData takes 150 values a data point; more in one minute give no percentiles.
MAX_VALUES: Final = 500

Dimensions = tuple[tuple[str, str], ...]


class MetricId(NamedTuple):
    """The identity of a metric. Dimensions are sorted by name, as their order does not count."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: Dimensions = ()


class Point(NamedTuple):
    """The values of a period as a statistic set. `values` has how often each occurred, as far as that is known."""

    samples: float
    total: float
    minimum: float
    maximum: float
    values: Mapping[float, float] | None = None

    @property
    def occurrences(self) -> Mapping[float, float] | None:
        """The times that each value occurred; None if only the set is known."""
        if self.values is not None:
            return self.values
        return {self.minimum: self.samples} if self.minimum == self.maximum else None


class Published(NamedTuple):
    """A data point that a service publishes, without its account and region."""

    name: str
    dimensions: Dimensions
    unit: str
    point: Point


def point_of(value: float) -> Point:
    """Return the point of one value."""
    return Point(1.0, value, value, value)


def merged(points: Sequence[Point]) -> Point:
    """Return several points of a period, at least one, as one."""
    if len(points) == 1:
        return points[0]
    return Point(
        sum(one.samples for one in points),
        sum(one.total for one in points),
        min(one.minimum for one in points),
        max(one.maximum for one in points),
        _occurrences(points),
    )


def _occurrences(points: Iterable[Point]) -> Mapping[float, float] | None:
    found: dict[float, float] = {}
    for point in points:
        occurrences = point.occurrences
        if occurrences is None or len(found) + len(occurrences) > MAX_VALUES:
            return None
        for value, count in occurrences.items():
            found[value] = found.get(value, 0.0) + count
    return found


def dimensions_of(given: Iterable[Mapping[str, str]]) -> Dimensions:
    """Return dimensions, as a request has them, for a MetricId."""
    return tuple(sorted((one["Name"], one["Value"]) for one in given))


def shown_dimensions(dimensions: Dimensions) -> list[dict[str, str]]:
    """Return dimensions as an answer has them."""
    return [{"Name": name, "Value": value} for name, value in dimensions]

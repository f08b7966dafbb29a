"""Rates and percentiles, from every value and not from buckets. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from orderboard.burst.model import CurvePoint, Interval, Latency, Percentiles

_PERCENTILES: Final = (50, 90, 95, 99, 99.9)
_Z_95: Final = 1.96  # 95 % of a normal distribution lie within so many standard deviations
_NINES: Final = 5  # the curve ends at 99.999 % or at the last value


def rate(count: int, over_s: float) -> float:
    """Return a count a second; 0 over no time."""
    return round(count / over_s, 1) if over_s > 0 else 0.0


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of a sorted sequence that is not empty."""
    rank = math.ceil(round(percent * len(ordered) / 100, 6))  # 99.9 is a little more in binary
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def latency(values_ms: Iterable[float]) -> Latency | None:
    """Return percentiles and their curve; None without values."""
    ordered = sorted(values_ms)
    if (found := percentiles(ordered)) is None:
        return None
    return Latency(
        **found.model_dump(),
        p95_ms=to_ms(percentile(ordered, 95)),
        p999_ms=to_ms(percentile(ordered, 99.9)),
        curve=tuple(_curve(ordered)),
        intervals=tuple(_intervals(ordered)),
    )


def percentiles(values_ms: Iterable[float]) -> Percentiles | None:
    """Return a few percentiles; None without values."""
    ordered = sorted(values_ms)
    if not ordered:
        return None
    return Percentiles(
        count=len(ordered),
        mean_ms=to_ms(math.fsum(ordered) / len(ordered)),
        p50_ms=to_ms(percentile(ordered, 50)),
        p90_ms=to_ms(percentile(ordered, 90)),
        p99_ms=to_ms(percentile(ordered, 99)),
        max_ms=to_ms(ordered[-1]),
    )


def to_ms(value: float) -> float:
    """Round to a microsecond."""
    return round(value, 3)


def _curve(ordered: Sequence[float]) -> Iterator[CurvePoint]:
    """Yield ten points for each nine, as far as there are enough values, and the maximum."""
    for nine in range(_NINES):
        if 10**nine > len(ordered):
            break
        for step in range(10):
            percent = 100 - 10 ** -(nine + step / 10) * 100
            yield CurvePoint(percentile=round(percent, 6), ms=to_ms(percentile(ordered, percent)))
    yield CurvePoint(percentile=100, ms=to_ms(ordered[-1]))


def _intervals(ordered: Sequence[float]) -> Iterator[Interval]:
    """Yield the 95 % interval of each percentile, by the normal approximation of the binomial distribution of ranks."""
    count = len(ordered)
    for percent in _PERCENTILES:
        share = percent / 100
        half = _Z_95 * math.sqrt(count * share * (1 - share))
        low, high = math.floor(count * share - half), math.ceil(count * share + half) + 1
        if low >= 1 and high <= count:
            yield Interval(percentile=percent, low_ms=to_ms(ordered[low - 1]), high_ms=to_ms(ordered[high - 1]))

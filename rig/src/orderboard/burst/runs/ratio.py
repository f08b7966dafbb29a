"""The ratio of a figure in two groups of runs, with its confidence interval. Pure.

Welch's t-interval on logarithms: the runs of a group are independent, the groups may spread differently, and a figure
varies by factors rather than by amounts. The ratio is that of the geometric means.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean, variance
from typing import Final

CONFIDENCE: Final = 0.95
METHOD: Final = (
    "95 % intervals: Welch's t on the logarithms of each run's figure; a ratio is that of the geometric means."
)
_STEPS: Final = 4000
_MOST_FREEDOM: Final = 10_000.0  # where t is the normal distribution


@dataclass(frozen=True)
class Ratio:
    """A ratio, and its interval where both groups have at least two runs and every figure is positive."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def differs(self) -> bool:
        """True when the interval leaves out 1."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high


def center(values: Sequence[float]) -> float:
    """Return the geometric mean; the arithmetic one where a value is 0 or infinite."""
    if all(0 < value < math.inf for value in values):
        return math.exp(fmean(map(math.log, values)))
    return sum(values) / len(values)


def ratio(before: Sequence[float], after: Sequence[float]) -> Ratio:
    """Return after / before. Both 0 are equal; anything is infinitely more than 0."""
    if not all(0 < value < math.inf for value in (*before, *after)):
        base, value = center(before), center(after)
        return Ratio(1.0 if value == base else math.inf if base == 0 else value / base if base < math.inf else 0.0)
    logs = [[math.log(value) for value in values] for values in (before, after)]
    difference = fmean(logs[1]) - fmean(logs[0])
    if min(len(before), len(after)) < 2:
        return Ratio(math.exp(difference))
    of_means = [variance(values) / len(values) for values in logs]
    if (total := sum(of_means)) == 0:
        return Ratio(math.exp(difference), math.exp(difference), math.exp(difference))
    freedom = total**2 / sum(part**2 / (len(values) - 1) for part, values in zip(of_means, logs, strict=True))
    half = t_quantile(freedom) * math.sqrt(total)
    return Ratio(math.exp(difference), math.exp(difference - half), math.exp(difference + half))


@lru_cache
def t_quantile(freedom: float, confidence: float = CONFIDENCE) -> float:
    """Return the t within which this share of Student's distribution lies.

    With t = sqrt(freedom) tan(angle) its density is proportional to cos(angle) ** (freedom - 1), which is summed up.
    """
    freedom = min(freedom, _MOST_FREEDOM)
    widest = math.atan(min(40 / math.sqrt(freedom), 1e9)) if freedom > 30 else math.pi / 2
    step = widest / _STEPS
    sums = [0.0]
    for number in range(_STEPS):
        sums.append(sums[-1] + math.cos((number + 0.5) * step) ** (freedom - 1))
    wanted = confidence * sums[-1]
    place = bisect.bisect_left(sums, wanted)
    part = (wanted - sums[place - 1]) / (sums[place] - sums[place - 1])
    return math.sqrt(freedom) * math.tan((place - 1 + part) * step)

"""The search for the highest rate that a system sustains: it doubles until that breaks, bisects, and repeats. Pure.

A rate is in orders a second, or a factor of any load.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

_MOST_RUNS: Final = 30


@dataclass
class LimitSearch:
    """A search from first_rate on, until the bracket is as narrow as precision and the rate held `repetitions` times.

    A rate that breaks once does not hold, however often it held before. None is below lowest or above highest.
    """

    first_rate: float
    lowest: float = 1.0
    highest: float = 100_000.0
    precision: float = 0.1
    repetitions: int = 3
    held: Counter[float] = field(default_factory=Counter)
    broke: set[float] = field(default_factory=set)
    _runs: int = 0

    @property
    def holds(self) -> float | None:
        """The highest rate that held, and is below every one that broke."""
        broke = self.breaks or math.inf
        return max((rate for rate in self.held if rate < broke), default=None)

    @property
    def breaks(self) -> float | None:
        """The lowest rate that broke."""
        return min(self.broke, default=None)

    def record(self, rate: float, *, holds: bool) -> None:
        """Take the result of a run."""
        self._runs += 1
        if holds:
            self.held[rate] += 1
        else:
            self.broke.add(rate)

    def next_rate(self) -> float | None:
        """Return the rate to try next; None at the end."""
        holds, breaks = self.holds, self.breaks
        if self._runs >= _MOST_RUNS:
            return None
        if holds is None and breaks is None:
            return self.first_rate
        if holds is None:
            half = _round((breaks or self.lowest) / 2)
            return half if half >= self.lowest else None
        if breaks is None and holds < self.highest:
            return min(_round(holds * 2), self.highest)
        if breaks is not None and breaks > holds * (1 + self.precision):
            between = _round(math.sqrt(holds * breaks))
            if holds < between < breaks:
                return between
        return holds if self.held[holds] < self.repetitions else None


def _round(rate: float) -> float:
    """Round to three digits."""
    return float(f"{rate:.3g}")

"""The clock of another machine, by its answers to pings. Pure."""

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Clock:
    """A machine's time.monotonic() is ours plus offset_s, give or take error_s."""

    offset_s: float
    error_s: float

    @staticmethod
    def between(sent_at: float, their_at: float, answered_at: float) -> "Clock":
        """Return what one ping shows: they read their clock at some moment between, so the error is half the way."""
        return Clock(their_at - (sent_at + answered_at) / 2, (answered_at - sent_at) / 2)

    def or_better(self, other: "Clock") -> "Clock":
        """Return the more exact one."""
        return min(self, other, key=lambda each: each.error_s)

    def drifted_to(self, later: "Clock") -> "Clock":
        """Return this offset with an error that holds up to a later measurement: clocks run at different rates."""
        drift_s = abs(later.offset_s - self.offset_s) + later.error_s
        return Clock(self.offset_s, max(self.error_s, drift_s))


UNKNOWN: Final = Clock(0.0, math.inf)

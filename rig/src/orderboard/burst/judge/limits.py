"""Thresholds that are checked during the load."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from orderboard.burst.judge.thresholds import Seen, Threshold
from orderboard.burst.model import Expectation

_FROM_S: Final = 5.0
_EVERY_S: Final = 1.0
_LEAST_ORDERS: Final = 20
_SHARE_OF_TIME: Final = 0.05  # that checks may take: they look at every order so far


class Limits:
    """Thresholds on the orders so far, from five seconds on and of twenty orders at least."""

    def __init__(self, thresholds: Sequence[Threshold]) -> None:
        self._thresholds = thresholds
        self._next_s = _FROM_S

    def missed(self, now_s: float, seen: Callable[[], Seen]) -> tuple[Expectation, ...]:
        """Return those that are missed, if it is time for a check."""
        if not self._thresholds or now_s < self._next_s:
            return ()
        began = time.perf_counter()
        found = [threshold.check(seen()) for threshold in self._thresholds]
        took_s = time.perf_counter() - began
        self._next_s = now_s + max(_EVERY_S, took_s / _SHARE_OF_TIME)
        return tuple(each for each in found if not each.met and (each.orders or 0) >= _LEAST_ORDERS)

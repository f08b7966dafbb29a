"""The time, and calls at a time to come: as it passes, or by hand, so that fourteen days take a millisecond."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Wake(Protocol):
    """A call that is to come and can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Clock(Protocol):
    """What the engine knows of time. Times are seconds since 1970."""

    def now(self) -> float:
        """The time now."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Wake:
        """Call back at that time, in the event loop."""

    def call_when_tired(self, wait_s: float, callback: Callable[[], None]) -> Wake:
        """Call back when a client has waited so long: also by a manual clock a client lives in real time."""


class RealClock:
    """Time as it passes."""

    def now(self) -> float:
        """The time now."""
        return time.time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Wake:
        """Call back at that time; the loop's timers may be early by a clock tick, which is made good here."""
        return asyncio.get_running_loop().call_later(max(0.0, when - time.time()) + 0.0005, callback)

    def call_when_tired(self, wait_s: float, callback: Callable[[], None]) -> Wake:
        """Call back after so many seconds."""
        return asyncio.get_running_loop().call_later(wait_s, callback)


class _Scheduled:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class _Either:
    """Two calls of which the first that comes calls the other off."""

    def __init__(self) -> None:
        self.wakes: list[Wake] = []

    def cancel(self) -> None:
        for wake in self.wakes:
            wake.cancel()


class ManualClock:
    """Time that stands still until it is moved."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._scheduled: list[tuple[float, int, _Scheduled]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """The time now."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Wake:
        """Call back when the clock has been moved so far."""
        scheduled = _Scheduled(callback)
        heapq.heappush(self._scheduled, (when, next(self._numbers), scheduled))
        return scheduled

    def call_when_tired(self, wait_s: float, callback: Callable[[], None]) -> Wake:
        """Call back after so many seconds by this clock or by the real one, whichever is first."""
        either = _Either()

        def once() -> None:
            either.cancel()
            callback()

        either.wakes.append(self.call_at(self._now + wait_s, once))
        either.wakes.append(asyncio.get_running_loop().call_later(wait_s, once))
        return either

    def advance(self, seconds: float) -> None:
        """Move the time on. Each call that falls due on the way is made at its own time."""
        until = self._now + seconds
        while self._scheduled and self._scheduled[0][0] <= until:
            when, _, scheduled = heapq.heappop(self._scheduled)
            self._now = max(self._now, when)
            if scheduled.callback is not None:
                scheduled.callback()
        self._now = until

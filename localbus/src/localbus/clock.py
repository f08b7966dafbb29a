"""The time and timers: real time, or a manual clock by which fourteen days take a millisecond."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

FIXED_START = 1_700_000_000.0  # 2023-11-14T22:13:20Z, for what must be the same in every run


class TimerHandle(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Cancel the call."""


class Clock(Protocol):
    """The engine's only source of time. Times are seconds since 1970."""

    def now(self) -> float:
        """Return the time."""

    def advances_to(self) -> float:
        """Return the time until which an advance under way moves a manual clock; else the present."""

    def call_at(self, when: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a call in the event loop."""

    def call_after_wait_timeout(self, wait_s: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule the end of a client's wait. It ends in real time also with a manual clock: the client is real."""


class RealClock:
    """Real time."""

    def now(self) -> float:
        """Return the time."""
        return time.time()

    def advances_to(self) -> float:
        """Return the time."""
        return time.time()

    def call_at(self, when: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a call, half a millisecond late because the loop's timers may be early by a clock tick."""
        return asyncio.get_running_loop().call_later(max(0.0, when - time.time()) + 0.0005, callback)

    def call_after_wait_timeout(self, wait_s: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a call after so many seconds."""
        return asyncio.get_running_loop().call_later(wait_s, callback)


def this_second() -> float:
    """Return the time without the fraction of its second."""
    return float(int(time.time()))


class _Scheduled:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class _FirstOf:
    """Timers of which the first to fire cancels the others."""

    def __init__(self) -> None:
        self.timers: list[TimerHandle] = []

    def cancel(self) -> None:
        for timer in self.timers:
            timer.cancel()


class ManualClock:
    """Time that stands still until `advance` moves it, and then calls `on_advance`.

    Start it at a whole second (`this_second`), so that a wait is over after advances that sum up to it: fractions have
    rounding errors.
    """

    def __init__(self, start: float = FIXED_START) -> None:
        self._now = self._until = start
        self.on_advance: Callable[[], None] = lambda: None
        self._scheduled: list[tuple[float, int, _Scheduled]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Return the time."""
        return self._now

    def advances_to(self) -> float:
        """Return the time that the clock has at the end of an advance under way."""
        return max(self._now, self._until)

    def call_at(self, when: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a call for the `advance` that reaches its time."""
        scheduled = _Scheduled(callback)
        heapq.heappush(self._scheduled, (when, next(self._numbers), scheduled))
        return scheduled

    def call_after_wait_timeout(self, wait_s: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a call after so many seconds of this clock or of real time, whichever is first."""
        first = _FirstOf()

        def once() -> None:
            first.cancel()
            callback()

        first.timers.append(self.call_at(self._now + wait_s, once))
        first.timers.append(asyncio.get_running_loop().call_later(wait_s, once))
        return first

    def restore(self, now: float) -> None:
        """Go on at a stored time, before anything is scheduled."""
        self._now = now

    def advance(self, seconds: float) -> None:
        """Move the time forward. Each call that becomes due is made at its own time."""
        until = self._until = self._now + seconds
        while self._scheduled and self._scheduled[0][0] <= until:
            when, _, scheduled = heapq.heappop(self._scheduled)
            self._now = max(self._now, when)
            if scheduled.callback is not None:
                scheduled.callback()
        self._now = until
        self.on_advance()

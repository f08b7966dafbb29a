"""Work that goes on beside requests: begun, or waiting for its time. All of it can be given up at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from localbus.clock import Clock, Wake

log = logging.getLogger("localbus")


class Errands:
    """Everything that is under way for one owner."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._wakes: set[Wake] = set()

    def begin(self, work: Awaitable[None]) -> None:
        """Do this work. A failure that it does not expect itself is logged."""
        task = asyncio.ensure_future(_watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(self, pause_s: float, callback: Callable[[], None]) -> None:
        """Call this after the pause, or at once where there is none."""
        if not pause_s:
            callback()
            return
        wakes: list[Wake] = []

        def wake_up() -> None:
            self._wakes.difference_update(wakes)
            callback()

        wakes.append(self._clock.call_at(self._clock.now() + pause_s, wake_up))
        self._wakes.update(wakes)

    async def stop(self) -> None:
        """Give up on everything."""
        for wake in self._wakes:
            wake.cancel()
        self._wakes.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watched(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("errand.failed")

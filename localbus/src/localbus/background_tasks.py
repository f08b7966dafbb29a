"""Background tasks, running or scheduled. `cancel_all` ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from localbus.clock import Clock, TimerHandle

log = logging.getLogger("localbus")


class BackgroundTasks:
    """The tasks of one engine that run beside requests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[TimerHandle] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run the work in a task. An exception that it raises is logged and not propagated."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def schedule(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Call back after the delay by the engine's clock; without a delay, call immediately."""
        if not delay_s:
            callback()
            return
        timers: list[TimerHandle] = []

        def on_time() -> None:
            self._timers.difference_update(timers)
            callback()

        timers.append(self._clock.call_at(self._clock.now() + delay_s, on_time))
        self._timers.update(timers)

    async def cancel_all(self) -> None:
        """Cancel what is scheduled and what runs, and wait until it has ended, with what it starts meanwhile."""
        while self._tasks or self._timers:
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
            await asyncio.sleep(0)  # each task begins, as a coroutine that it was given would else never be closed
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_task.failed", exc_info=error)

"""One brake for the whole worker: while a backend refuses, everybody slows down together.

An order that meets an outage stays in hand, kept by the heartbeat, and is tried again here. Giving it back would use
up its receives: five tries at a table that is down for a minute, and a good order lies in the dead-letter queue.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from worker.backoff import Backoff
from worker.failures import UnavailableError
from worker.health import Health

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_PART: Final = "orders table and event bus"
# Tries of one message while others get through: then it is this message, and its receives shall bound it.
_MAX_LONE_TRIES: Final = 4


class Brake:
    """Pauses all who ask while calls fail as unavailable; each further failure lengthens the pause."""

    def __init__(self, pace: Backoff, health: Health, chance: Callable[[], float] = random.random) -> None:
        self._pace = pace
        self._health = health
        self._chance = chance
        self._failures = 0
        self._pulled_at = float("-inf")
        self._pause_until = float("-inf")
        self._last_success = float("-inf")
        self._change = asyncio.Event()
        self._closed = False

    async def released(self) -> None:
        """Return when the next try is due; at once when all is well, or when the worker stops."""
        while not self._closed and (pause_s := self._pause_until - _now()) > 0:
            self._change.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._change.wait()
            except TimeoutError:
                return

    async def through(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run work; while it raises UnavailableError, pause and run it again.

        Raises UnavailableError when the worker stops meanwhile, or when others get through and this does not.
        """
        began = _now()
        tries = 0
        while True:
            await self.released()
            tried_at = _now()
            tries += 1
            try:
                result = await work()
            except UnavailableError as exc:
                self._pull(tried_at, str(exc))
                if self._closed or (tries >= _MAX_LONE_TRIES and self._last_success > began):
                    raise
            else:
                self._release(tried_at)
                return result

    def close(self) -> None:
        """The worker stops: nobody waits here any more, and what fails is not tried again."""
        self._closed = True
        self._change.set()

    def _pull(self, tried_at: float, reason: str) -> None:
        if tried_at <= self._pulled_at:
            return  # it was under way already when the brake was pulled: the same refusal, told again
        self._failures += 1
        self._pulled_at = _now()
        # Half of the pause is certain, so that an outage never makes a hot loop; half is chance.
        pause_s = self._pace.wait_s(self._failures, 0.5 + self._chance() / 2)
        self._pause_until = self._pulled_at + pause_s
        self._health.problem(_PART, reason)
        log.warning("backend.unavailable", extra={"reason": reason, "pause_s": round(pause_s, 3)})

    def _release(self, tried_at: float) -> None:
        self._last_success = _now()
        if tried_at <= self._pulled_at or not self._failures:
            return
        log.info("backend.recovered", extra={"refusals": self._failures})
        self._failures = 0
        self._pause_until = float("-inf")
        self._health.well(_PART)
        self._change.set()


def _now() -> float:
    return asyncio.get_running_loop().time()

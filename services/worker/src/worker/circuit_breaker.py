"""A circuit breaker shared by the whole worker: while a backend is unavailable, every caller pauses.

An order that meets an outage stays in this process, where the heartbeat keeps its lease, and is retried here. Giving
it back would use up its receives: with a table down for a minute, a good order would reach the dead-letter queue.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from orderboard_aws_client.backoff import Backoff, pause

from worker.failures import UnavailableError
from worker.health import Health

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_COMPONENT: Final = "orders table and event bus"
# Attempts of one message while others succeed: then the message is the cause, and its receive count shall bound it.
_MAX_LONE_ATTEMPTS: Final = 4


class CircuitBreaker:
    """Delays all calls while they fail as unavailable; each further failure lengthens the delay."""

    def __init__(self, backoff: Backoff, health: Health) -> None:
        self._backoff = backoff
        self._health = health
        self._failures = 0
        self._tripped_at = float("-inf")
        self._retry_at = float("-inf")
        self._last_success = float("-inf")
        self._changed = asyncio.Event()
        self._stopped = False

    @property
    def closed(self) -> bool:
        """True while no call has failed since the last success, and the worker runs."""
        return not (self._failures or self._stopped)

    async def wait_until_closed(self) -> None:
        """Return when the next attempt is due: at once while calls succeed, or when the worker stops."""
        while not self._stopped and (wait_s := self._retry_at - _now()) > 0:
            self._changed.clear()
            await pause(wait_s, until=self._changed)

    async def run(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Run call; while it raises UnavailableError, wait and run it again.

        Raises UnavailableError when the worker stops, or when this call keeps failing while others succeed.
        """
        began = _now()
        attempts = 0
        while True:
            await self.wait_until_closed()
            attempted_at = _now()
            attempts += 1
            try:
                result = await call()
            except UnavailableError as exc:
                self._trip(attempted_at, str(exc))
                if self._stopped or (attempts >= _MAX_LONE_ATTEMPTS and self._last_success > began):
                    raise
            else:
                self.succeeded(attempted_at)
                return result

    def succeeded(self, attempted_at: float) -> None:
        """Record a call that succeeded; attempted_at is a time of the event loop's clock."""
        self._last_success = _now()
        if attempted_at <= self._tripped_at or not self._failures:
            return
        log.info("backend.recovered", extra={"failures": self._failures})
        self._failures = 0
        self._retry_at = float("-inf")
        self._health.healthy(_COMPONENT)
        self._changed.set()

    def stop(self) -> None:
        """End all waits, and retry no further failures."""
        self._stopped = True
        self._changed.set()

    def _trip(self, attempted_at: float, reason: str) -> None:
        if attempted_at <= self._tripped_at:
            return  # the call was already under way when the breaker tripped: it reports the same outage
        self._failures += 1
        self._tripped_at = _now()
        wait_s = self._backoff.equal_jitter_s(self._failures)
        self._retry_at = self._tripped_at + wait_s
        self._health.unhealthy(_COMPONENT, reason)
        log.warning("backend.unavailable", extra={"reason": reason, "retry_after_s": round(wait_s, 3)})


def _now() -> float:
    return asyncio.get_running_loop().time()

"""A bridge: moves what arrives at a mirror into the queue, topic or bus of this engine.

A message is received, delivered and then deleted, so none is lost; one that comes again is known by its id.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from localbus.boundary.mirror import Mirror, MirrorError
from localbus.http.client import NoAnswerError
from localbus.protocol.service_model import Params
from localbus.storage.storage import NotStoredError

log = logging.getLogger("localbus")

_WAIT_S: Final = 20
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_KNOWN_IDS: Final = 1000


class Bridge:
    """The bridge from one mirror. `attributes` returns those for its creation, `deliver` takes each message once,
    and `stored` returns when what it has changed is kept: only then the message leaves the mirror.

    `after` is the deletion of an earlier mirror of the same name.
    """

    def __init__(
        self,
        mirror: Mirror,
        attributes: Callable[[], dict[str, str]],
        deliver: Callable[[Params], None],
        after: asyncio.Task[None] | None = None,
        *,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._mirror = mirror
        self._attributes = attributes
        self._deliver = deliver
        self._after = after
        self._stored = stored
        self._created = False
        self._creation = asyncio.Lock()
        self._known: deque[str] = deque(maxlen=_KNOWN_IDS)

    async def create(self, *, again: bool = False) -> None:
        """Create the mirror, unless it is known to exist. Raises MirrorError, NoAnswerError or TimeoutError.

        With `again` the upstream is asked even so: a reset may have deleted the mirror during a long poll.
        """
        async with self._creation:
            if self._after is not None:
                await asyncio.wait([self._after])
                self._after = None
            if again or not self._created:
                await self._mirror.create(self._attributes())
                self._created = True

    async def run(self) -> None:
        """Move messages until the task is cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self.create()
                await self._move()
                pause_s = _FIRST_PAUSE_S
                continue
            except (MirrorError, NoAnswerError, TimeoutError) as exc:
                if isinstance(exc, MirrorError) and pause_s == _FIRST_PAUSE_S:
                    log.warning("bridge.failed: %s. It is tried again.", exc)
            except Exception:  # the boundary of the task, for an answer that nothing here expects
                log.exception("bridge.failed: it is tried again.")
            self._created = False  # an upstream that was reset or restarted has no mirror
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _move(self) -> None:
        for message in await self._mirror.receive(_WAIT_S):
            if message["MessageId"] not in self._known:
                try:
                    self._deliver(message)
                except Exception:  # the boundary of a message: it stays in the mirror and comes again
                    log.exception("bridge.delivery_failed")
                    continue
                self._known.append(message["MessageId"])
            with suppress(NotStoredError):  # it stays in the mirror, which has room
                await self._stored()
                await self._mirror.remove(message)

    async def delete(self) -> None:
        """Delete the mirror, as far as it exists."""
        try:
            await self._mirror.delete()
        except (MirrorError, NoAnswerError, TimeoutError) as exc:
            log.info("bridge.not_deleted: %s", exc)

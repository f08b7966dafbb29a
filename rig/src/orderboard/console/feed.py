"""One poll of the backend whatever the number of viewers, and the last five minutes for those who come late."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final

from orderboard.errors import RigError
from orderboard.system.target import AWS_ERRORS

log: Final = logging.getLogger(__name__)

HISTORY_S: Final = 300.0
_QUEUE_SIZE: Final = 8


class Feed:
    """Looks at the board at an interval while anybody watches, and tells every viewer the same.

    look gives the board as the page takes it, with at_s, api_ms and queues; its knobs are told again when they change.
    """

    def __init__(
        self,
        look: Callable[[], dict[str, Any]],
        *,
        every_s: float = 1.0,
        idle_every_s: float | None = 5.0,
    ) -> None:
        self._look = look
        self._every_s, self._idle_every_s = every_s, idle_every_s
        self._history: deque[dict[str, Any]] = deque()
        self._viewers: set[asyncio.Queue[str]] = set()
        self._wake = asyncio.Event()
        self._told_knobs: object = None
        self.looks = 0
        self.latest: dict[str, Any] | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._wake.clear()
            if self._viewers or self._idle_every_s is not None:
                await self._once()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s if self._viewers else self._idle_every_s):
                    await self._wake.wait()

    def nudge(self) -> None:
        """Look now: something was just changed."""
        self._wake.set()

    async def watch(self) -> AsyncIterator[str]:
        """Server-sent events: first the last five minutes, then every look. Ends when the viewer goes."""
        mine: asyncio.Queue[str] = asyncio.Queue(_QUEUE_SIZE)
        self._viewers.add(mine)
        self.nudge()
        try:
            yield _event("history", list(self._history))
            if self.latest is not None:
                yield _event("board", self.latest)
            while True:
                yield await mine.get()
        finally:
            self._viewers.discard(mine)

    async def _once(self) -> None:
        self.looks += 1
        try:
            document = await asyncio.to_thread(self._look)
            self._remember(document)
        except (RigError, *AWS_ERRORS) as exc:
            document = {"trouble": str(exc)}
        except Exception as exc:  # one bad look must not end the watching
            log.exception("console.look_failed")
            document = {"trouble": f"The console could not look: {type(exc).__name__}. Its log has more."}
        self.latest = document
        self._tell(document)

    def _remember(self, document: dict[str, Any]) -> None:
        at_s, queues = document["at_s"], document["queues"]
        self._history.append(
            {
                "at_s": at_s,
                "api_ms": document["api_ms"],
                **{key: each["waiting"] + each["in_flight"] + each["delayed"] for key, each in queues.items()},
            }
        )
        while self._history[0]["at_s"] < at_s - HISTORY_S:
            self._history.popleft()

    def _tell(self, document: dict[str, Any]) -> None:
        knobs = document.get("knobs")
        changed, self._told_knobs = knobs != self._told_knobs, knobs
        whole = _event("board", document)
        brief = (
            whole if changed else _event("board", {name: each for name, each in document.items() if name != "knobs"})
        )
        for viewer in self._viewers:
            if viewer.full():  # slow: it gets the newest and misses some
                viewer.get_nowait()
                viewer.put_nowait(whole)
            else:
                viewer.put_nowait(brief)


def _event(name: str, data: object) -> str:
    # JSON has no raw line breaks, so one data line holds it. https://html.spec.whatwg.org/multipage/server-sent-events.html
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"

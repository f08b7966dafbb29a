"""One poll of the system however many viewers there are, and the last five minutes for a new viewer."""

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
    """Polls at an interval while there are viewers, and sends all of them the same snapshot.

    read returns the snapshot's JSON with at_s, api_ms and queues. Its controls are sent again only when they change.
    """

    def __init__(
        self,
        read: Callable[[], dict[str, Any]],
        *,
        every_s: float = 1.0,
        idle_every_s: float | None = 5.0,
    ) -> None:
        self._read = read
        self._every_s, self._idle_every_s = every_s, idle_every_s
        self._history: deque[dict[str, Any]] = deque()
        self._viewers: set[asyncio.Queue[str]] = set()
        self._wake = asyncio.Event()
        self._sent_controls: object = None
        self.latest: dict[str, Any] | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            self._wake.clear()
            if self._viewers or self._idle_every_s is not None:
                await self._poll()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s if self._viewers else self._idle_every_s):
                    await self._wake.wait()

    def nudge(self) -> None:
        """Poll now: something has just changed."""
        self._wake.set()

    async def watch(self) -> AsyncIterator[str]:
        """Yield server-sent events: the last five minutes, then every snapshot until the viewer disconnects."""
        mine: asyncio.Queue[str] = asyncio.Queue(_QUEUE_SIZE)
        self._viewers.add(mine)
        self.nudge()
        try:
            yield _event("history", list(self._history))
            if self.latest is not None:
                yield _event("snapshot", self.latest)
            while True:
                yield await mine.get()
        finally:
            self._viewers.discard(mine)

    async def _poll(self) -> None:
        try:
            document = await asyncio.to_thread(self._read)
            self._remember(document)
        except (RigError, *AWS_ERRORS) as exc:
            document = {"trouble": str(exc)}
        except Exception as exc:  # one failed poll must not end the feed
            log.exception("console.poll_failed")
            document = {"trouble": f"The console failed to read the system: {type(exc).__name__}. See its log."}
        self.latest = document
        self._send(document)

    def _remember(self, document: dict[str, Any]) -> None:
        at_s, queues = document["at_s"], document["queues"]
        held = {key: each["waiting"] + each["in_flight"] + each["delayed"] for key, each in queues.items()}
        self._history.append({"at_s": at_s, "api_ms": document["api_ms"], **held})
        while self._history[0]["at_s"] < at_s - HISTORY_S:
            self._history.popleft()

    def _send(self, document: dict[str, Any]) -> None:
        controls = document.get("controls")
        changed, self._sent_controls = controls != self._sent_controls, controls
        full = event = _event("snapshot", document)
        if not changed:
            event = _event("snapshot", {name: each for name, each in document.items() if name != "controls"})
        for viewer in self._viewers:
            if viewer.full():  # a slow viewer gets the newest snapshot and misses some
                viewer.get_nowait()
                viewer.put_nowait(full)
            else:
                viewer.put_nowait(event)


def _event(name: str, data: object) -> str:
    # JSON has no raw line breaks, so one data line holds it. https://html.spec.whatwg.org/multipage/server-sent-events.html
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"

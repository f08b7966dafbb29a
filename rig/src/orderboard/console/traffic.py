"""Sends orders to order-api: a single one, a burst, or a steady stream."""

import asyncio
import os
import random
import secrets
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

from orderboard.console import commands
from orderboard.console.requests import MAX_BURST, ConsoleKind
from orderboard.console.source import Source
from orderboard.errors import RigError
from orderboard.orders.client import Accepted, Answer, OrderClient, order_client, refusal
from orderboard.orders.kinds import CANCELLABLE_FAULT, order_body
from orderboard.system.target import AWS_ERRORS

BURST: Final = 300  # orders of the page's burst button
STREAM_PER_S: Final = 20  # rate of the guide's stream
_EXPRESS_ONE_IN: Final = 5
_CONNECTIONS: Final = 48
_TICK_S: Final = 0.05
_RECENT: Final = 24
_ATTEMPTS: Final = 3
_FIND_API_EVERY_S: Final = 1.0
_REASON: Final = "cancelled in the console"
UNKNOWN_API: Final = "The address of order-api is unknown. Set it with --api-url."


@dataclass(frozen=True)
class Recent:
    """A recently accepted order."""

    order_id: str
    kind: str
    at_s: float


class Traffic:
    """Sends orders in the background of the console's event loop."""

    def __init__(self) -> None:
        self.per_s = 0.0
        self.accepted = 0
        self.failed = 0
        self.last_failure: str | None = None
        self.faults = False
        self._due = 0.0
        self._client: OrderClient | None = None
        self._api_url = ""
        self._recent: deque[Recent] = deque(maxlen=_RECENT)
        self._rng = random.Random()  # noqa: S311 - variety, not secrecy

    def document(self) -> dict[str, Any]:
        """JSON for the page."""
        return {
            "per_s": self.per_s,
            "accepted": self.accepted,
            "failed": self.failed,
            "last_failure": self.last_failure,
            "recent": [asdict(each) for each in reversed(self._recent)],
        }

    async def follow(self, source: Source) -> None:
        """Send to the current order-api: `up` may start one later, or again on another port."""
        sending: tuple[str, asyncio.Task[None]] | None = None
        try:
            while True:
                api_url = await asyncio.to_thread(_api_url, source)
                if sending is not None and (sending[0] != api_url or sending[1].done()):
                    await _cancel(sending[1])
                    sending = None
                if sending is None and api_url is not None:
                    sending = (api_url, asyncio.create_task(self._run(api_url)))
                await asyncio.sleep(_FIND_API_EVERY_S)
        finally:
            if sending is not None:
                await _cancel(sending[1])

    async def _run(self, api_url: str) -> None:
        token = os.environ.get("ORDERBOARD_API_TOKEN")
        async with order_client(api_url, token=token, connections=_CONNECTIONS, attempts=_ATTEMPTS) as client:
            self._client, self._api_url = client, api_url
            try:
                await self._send()
            finally:
                self._client, self._api_url = None, ""

    async def _send(self) -> None:
        free = asyncio.Semaphore(_CONNECTIONS)
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(_TICK_S)
                self._due += self.per_s * _TICK_S
                while self._due >= 1 and not free.locked():
                    self._due -= 1
                    await free.acquire()
                    group.create_task(self._one_of_many(free))

    async def _one_of_many(self, free: asyncio.Semaphore) -> None:
        try:
            with suppress(RigError):
                await self.place("express" if self._rng.randrange(_EXPRESS_ONE_IN) == 0 else "normal")
        finally:
            free.release()

    def burst(self, count: int) -> None:
        """Send this many more, as fast as order-api accepts them."""
        self._due = min(self._due + count, MAX_BURST)

    def stream(self, per_s: float) -> None:
        """Set the rate. 0 stops the stream and drops orders not sent yet."""
        self.per_s = per_s
        if per_s == 0:
            self._due = 0

    def command(self, count: int | None, per_s: float = 0, api_url: str = "") -> str:
        """Return a shell command for a burst, or a stream (count None), of equal orders. The console varies them."""
        if not (api_url := api_url or self._api_url):
            raise RigError(UNKNOWN_API)
        order = order_body("normal", random.Random(1))  # noqa: S311
        return commands.place_many(api_url, order, count, 1 / per_s if per_s else 0)

    def preview(self, kind: ConsoleKind, api_url: str) -> str:
        """Return a shell command that places such an order. ORDER_ID stands for the id in order-api's answer."""
        order = self._body(kind, random.Random(1))  # noqa: S311
        placed = commands.place(api_url, order, "$(date +%s%N)")
        match kind:
            case "duplicate":
                again = commands.place(api_url, order, "$KEY")
                return f"KEY=$(date +%s%N)\n{again}\n{again}"
            case "cancel":
                return f"{placed}\n{self.cancellation('ORDER_ID', api_url)}"
        return placed

    async def place(self, kind: ConsoleKind, order: Mapping[str, object] | None = None) -> tuple[Answer, str]:
        """Place one order, random unless given; return the answer and the equivalent shell commands."""
        if self._client is None:
            raise RigError(UNKNOWN_API)
        sent = dict(order) if order is not None else self._body(kind, self._rng)
        key = f"console-{secrets.token_hex(8)}"
        answer = await self._client.place(sent, idempotency_key=key)
        typed = [commands.place(self._api_url, sent, key)]
        if kind == "duplicate":
            await self._client.place(sent, idempotency_key=key)
            typed *= 2
        if kind == "cancel" and isinstance(answer, Accepted):
            await self._client.cancel(answer.order_id, reason=_REASON)
            typed.append(self.cancellation(answer.order_id, self._api_url))
        if isinstance(answer, Accepted):
            self.accepted += 1
            self._recent.append(Recent(answer.order_id, kind, time.time()))
        else:
            self.failed += 1
            self.last_failure = refusal(answer)
        return answer, "\n".join(typed)

    async def cancel(self, order_id: str) -> tuple[Answer, str]:
        """Request an order's cancellation; return the answer and the equivalent shell command."""
        if self._client is None:
            raise RigError(UNKNOWN_API)
        answer = await self._client.cancel(order_id, reason=_REASON)
        return answer, self.cancellation(order_id, self._api_url)

    def cancellation(self, order_id: str, api_url: str) -> str:
        """Return the shell command that requests an order's cancellation."""
        return commands.cancel(api_url, order_id, _REASON)

    def _body(self, kind: ConsoleKind, rng: random.Random) -> dict[str, object]:
        body = order_body(kind, rng)
        return body | {"fault": CANCELLABLE_FAULT} if kind == "cancel" and self.faults else body


def _api_url(source: Source) -> str | None:
    try:
        return source.target().api_url
    except (RigError, *AWS_ERRORS):
        return None


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task

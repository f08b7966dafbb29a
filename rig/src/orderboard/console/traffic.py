"""Orders that the console sends: one, a burst, or a steady stream. It is a client of order-api like any other."""

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
from orderboard.console.orders import Kind, body, of_many
from orderboard.console.source import Source
from orderboard.errors import RigError
from orderboard.orders.client import Accepted, Answer, OrderClient, order_client, refusal
from orderboard.system.target import AWS_ERRORS

MAX_PER_S: Final = 200
MAX_BURST: Final = 2000
BURST: Final = 300  # what the page asks for
STREAM_PER_S: Final = 20
_AT_ONCE: Final = 48
_TICK_S: Final = 0.05
_REMEMBERED: Final = 24
_ATTEMPTS: Final = 3
_LOOK_AGAIN_S: Final = 1.0
_REASON: Final = "pressed in the console"
UNKNOWN: Final = "Where order-api is, is not known here. Name it with --api-url."


@dataclass(frozen=True)
class Recent:
    """An order that was accepted."""

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
        self._recent: deque[Recent] = deque(maxlen=_REMEMBERED)
        self._rng = random.Random()  # noqa: S311 - variety, not secrecy

    def document(self) -> dict[str, Any]:
        """For the page."""
        return {
            "per_s": self.per_s,
            "accepted": self.accepted,
            "failed": self.failed,
            "last_failure": self.last_failure,
            "waiting_to_be_sent": int(self._due),
            "recent": [asdict(each) for each in reversed(self._recent)],
        }

    async def follow(self, source: Source) -> None:
        """Be a client of order-api wherever it is: `up` may come later, or come again on another port."""
        sending: tuple[str, asyncio.Task[None]] | None = None
        try:
            while True:
                api_url = await asyncio.to_thread(_api_url, source)
                if sending is not None and (sending[0] != api_url or sending[1].done()):
                    await _ended(sending[1])
                    sending = None
                if sending is None and api_url is not None:
                    sending = (api_url, asyncio.create_task(self.run(api_url)))
                await asyncio.sleep(_LOOK_AGAIN_S)
        finally:
            if sending is not None:
                await _ended(sending[1])

    async def run(self, api_url: str) -> None:
        """Send what is due until cancelled."""
        token = os.environ.get("ORDERBOARD_API_TOKEN")
        async with order_client(api_url, token=token, connections=_AT_ONCE, attempts=_ATTEMPTS) as client:
            self._client, self._api_url = client, api_url
            try:
                await self._send()
            finally:
                self._client, self._api_url = None, ""

    async def _send(self) -> None:
        free = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(_TICK_S)
                self._due += self.per_s * _TICK_S
                while self._due >= 1 and not free.locked():
                    self._due -= 1
                    await free.acquire()
                    group.create_task(self._one_of_many(free))

    def burst(self, count: int) -> None:
        """So many more, as fast as they are taken."""
        self._due = min(self._due + count, MAX_BURST)

    def stream(self, per_s: float) -> None:
        """From now on so many a second; 0 stops, and forgets what was still to be sent."""
        self.per_s = per_s
        if per_s == 0:
            self._due = 0

    def command(self, count: int | None, per_s: float = 0, api_url: str = "") -> str:
        """What sends so many orders, or a stream of them, from a shell: all alike, where the console varies them."""
        if not (api_url := api_url or self._api_url):
            raise RigError(UNKNOWN)
        pause_s = 1 / per_s if per_s else 0
        return commands.place_many(api_url, body("normal", random.Random(1), faults=False), count, pause_s)  # noqa: S311

    def preview(self, kind: Kind, api_url: str) -> str:
        """What would place an order of this kind from a shell; of the one to be cancelled the id is not known yet."""
        order = body(kind, random.Random(1), faults=self.faults)  # noqa: S311
        placed = commands.place(api_url, order, "$(date +%s%N)")
        match kind:
            case "twice":
                again = commands.place(api_url, order, "$KEY")
                return f"KEY=$(date +%s%N)\n{again}\n{again}"
            case "cancelled":
                return f"{placed}\n{commands.cancel(api_url, 'ORDER_ID', _REASON)}"
        return placed

    async def place(self, kind: Kind, order: Mapping[str, object] | None = None) -> tuple[Answer, str]:
        """Place one order of this kind, made up unless given; return the answer, and the commands that do the same."""
        if self._client is None:
            raise RigError(UNKNOWN)
        sent = dict(order) if order is not None else body(kind, self._rng, faults=self.faults)
        key = f"console-{secrets.token_hex(8)}"
        answer = await self._client.place(sent, idempotency_key=key)
        typed = [commands.place(self._api_url, sent, key)]
        if kind == "twice":
            await self._client.place(sent, idempotency_key=key)
            typed *= 2
        if kind == "cancelled" and isinstance(answer, Accepted):
            await self._client.cancel(answer.order_id, reason=_REASON)
            typed.append(commands.cancel(self._api_url, answer.order_id, _REASON))
        self._note(kind, answer)
        return answer, "\n".join(typed)

    async def _one_of_many(self, free: asyncio.Semaphore) -> None:
        try:
            with suppress(RigError):
                await self.place(of_many(self._rng))
        finally:
            free.release()

    def _note(self, kind: Kind, answer: Answer) -> None:
        if isinstance(answer, Accepted):
            self.accepted += 1
            self._recent.append(Recent(answer.order_id, kind, time.time()))
        else:
            self.failed += 1
            self.last_failure = refusal(answer)


def _api_url(source: Source) -> str | None:
    try:
        return source.target().api_url
    except (RigError, *AWS_ERRORS):
        return None


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task

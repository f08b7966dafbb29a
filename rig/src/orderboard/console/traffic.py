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

from orderboard.client import Accepted, Answer, OrderClient, order_client
from orderboard.console.orders import Kind, body, of_many
from orderboard.errors import RigError
from orderboard.player import refusal

MAX_PER_S: Final = 200
MAX_BURST: Final = 2000
_AT_ONCE: Final = 48
_TICK_S: Final = 0.05
_REMEMBERED: Final = 24
_ATTEMPTS: Final = 3


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

    async def run(self, api_url: str) -> None:
        """Send what is due until cancelled."""
        token = os.environ.get("ORDERBOARD_API_TOKEN")
        async with order_client(api_url, token=token, connections=_AT_ONCE, attempts=_ATTEMPTS) as client:
            self._client = client
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

    async def place(self, kind: Kind, order: Mapping[str, object] | None = None) -> tuple[Answer, dict[str, object]]:
        """Place one order of this kind, made up unless given; return the answer, and what was sent."""
        if self._client is None:
            raise RigError("Where order-api is, is not known here. Name it with --api-url.")
        sent = dict(order) if order is not None else body(kind, self._rng, faults=self.faults)
        key = f"console-{secrets.token_hex(8)}"
        answer = await self._client.place(sent, idempotency_key=key)
        if kind == "twice":
            await self._client.place(sent, idempotency_key=key)
        if kind == "cancelled" and isinstance(answer, Accepted):
            await self._client.cancel(answer.order_id, reason="pressed in the console")
        self._note(kind, answer)
        return answer, sent

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

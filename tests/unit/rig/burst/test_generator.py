"""The generator, against an API that holds answers back, refuses or dies: it sends on time all the same."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from orderboard.burst.load.generator import Generator, Job, Reply
from orderboard.burst.mix import Mix, Orders, OwnOrders
from support import eventually

NORMAL = Mix()


@dataclass
class FakeApi:
    """Answers as it is told, and remembers what it was asked."""

    together: int = 1  # answers wait until so many orders wait for one
    status: int = 202
    hang_up: bool = False
    keys: list[str] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self._complete = asyncio.Barrier(self.together)

    async def order(self, request: web.Request) -> web.StreamResponse:
        """POST /orders."""
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        key = request.headers["Idempotency-Key"]
        self.keys.append(key)
        self.bodies.append(json.loads(await request.read()))
        await self._complete.wait()
        self.at_once -= 1
        if self.hang_up:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"order_id": f"id-{key}", "total_cents": 700}, status=self.status)

    async def cancellation(self, request: web.Request) -> web.StreamResponse:
        """POST /orders/ID/cancellation."""
        self.cancelled.append(request.match_info["order_id"])
        return web.json_response({}, status=503)


@asynccontextmanager
async def fake_api(**settings: int) -> AsyncIterator[FakeApi]:
    """One that runs."""
    api = FakeApi(**settings)  # type: ignore[arg-type]
    app = web.Application()
    app.router.add_post("/orders", api.order)
    app.router.add_post("/orders/{order_id}/cancellation", api.cancellation)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    api.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    try:
        yield api
    finally:
        await runner.cleanup()


async def sent(
    api: FakeApi, times_s: Sequence[float], *, orders: Orders = NORMAL, connections: int = 64
) -> list[Reply]:
    """All replies, in the order of the orders."""
    generator = Generator(Job(api.url, orders, 1, "run", times_s, connections))
    try:
        await asyncio.to_thread(generator.begin)
        replies: list[Reply] = []

        def done() -> bool:
            told = generator.told()
            replies.extend(reply for each in told for reply in each.replies)
            return any(each.done for each in told)

        await eventually(done, within_s=20)
    finally:
        await asyncio.to_thread(generator.stop)
    return sorted(replies)


async def test_orders_leave_on_time_though_none_is_answered() -> None:
    """An API that answers no order before it has all forty gets them: none leaves early, none waits for another."""
    async with fake_api(together=40) as api:
        replies = await sent(api, [number / 100 for number in range(40)])

    assert api.most_at_once == 40
    assert [reply.number for reply in replies] == list(range(40))
    assert {reply.answer for reply in replies} == {"acknowledged"}
    assert {reply.waited for reply in replies} == {False}
    assert all(reply.intended_s <= reply.sent_s for reply in replies)
    assert min(reply.answered_s for reply in replies) >= max(reply.sent_s for reply in replies)


async def test_what_finds_no_free_connection_is_late_and_says_so() -> None:
    """With two connections the third order leaves when one is answered; its latency counts from when it should have."""
    async with fake_api(together=2) as api:
        replies = await sent(api, [0.0] * 6, connections=2)

    assert api.most_at_once == 2
    assert [reply.waited for reply in replies] == [False, False, True, True, True, True]
    assert replies[2].sent_s >= min(reply.answered_s for reply in replies[:2])
    assert replies[4].sent_s >= min(reply.answered_s for reply in replies[2:4])
    assert {reply.intended_s for reply in replies} == {0.0}


async def test_a_duplicate_is_sent_twice_with_one_key() -> None:
    """At once, and it is one order with two answers."""
    async with fake_api() as api:
        replies = await sent(api, [0.0] * 5, orders=Mix((("duplicate", 100.0),)))

    assert set(Counter(api.keys).values()) == {2}
    assert [len(reply.order_ids) for reply in replies] == [2] * 5


async def test_a_cancellation_follows_its_order() -> None:
    """With the id that was answered; what it was answered itself is noted."""
    async with fake_api() as api:
        replies = await sent(api, [0.0] * 3, orders=Mix((("cancel", 100.0),)))

    assert sorted(api.cancelled) == sorted(reply.order_ids[0] for reply in replies)
    assert {reply.cancellation for reply in replies} == {"unavailable"}


async def test_answers_are_told_apart() -> None:
    """A refusal is final; an outage leaves open what became of the order."""
    seen = []
    for settings in ({"status": 422}, {"status": 503}, {"status": 429}, {"hang_up": True}):
        async with fake_api(**settings) as api:
            seen += [(reply.answer, reply.said) for reply in await sent(api, [0.0])]

    assert seen == [
        ("refused", "422"),
        ("unavailable", "503"),
        ("unavailable", "429"),
        ("unavailable", "ServerDisconnectedError"),
    ]


async def test_own_orders_are_sent_as_they_are() -> None:
    """Letter for letter, and again when they run out."""
    own = {"customer_id": "ada", "note": "για το σπίτι ☕"}

    async with fake_api() as api:
        await sent(api, [0.0, 0.0], orders=OwnOrders((own,)))

    assert api.bodies == [own, own]

"""The generator, against an API that holds answers back, refuses or dies: it still sends on time."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from orderboard.burst.load.generator import Generator, Job, Reply
from orderboard.burst.load.mix import Mix, OrderSource, OwnOrders, PlannedOrder
from support import eventually

NORMAL = Mix()


class LateCancellation:
    """One order that is cancelled when it is final."""

    def orders(self, *, seed: int, run: str, count: int) -> Iterator[PlannedOrder]:
        """It."""
        del seed, count
        yield PlannedOrder("cancel_late", f"{run}-0", {}, cancellation="when final")


@dataclass
class FakeApi:
    """Answers as configured, and records its requests."""

    together: int = 1  # answers wait until so many orders wait for one
    status: int = 202
    hang_up: bool = False
    failures: int = 0  # so many orders get 503 first
    unrecorded: int = 0  # so many reads find no order first
    keys: list[str] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    reads: int = 0
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
        if len(self.keys) <= self.failures:
            return web.json_response({"detail": "try later"}, status=503)
        return web.json_response({"order_id": f"id-{key}", "total_cents": 700}, status=self.status)

    async def read(self, request: web.Request) -> web.StreamResponse:
        """GET /orders/ID."""
        self.reads += 1
        return web.json_response({}, status=404 if self.reads <= self.unrecorded else 200)

    async def cancellation(self, request: web.Request) -> web.StreamResponse:
        """POST /orders/ID/cancellation."""
        self.cancelled.append(request.match_info["order_id"])
        return web.json_response({}, status=503)


@asynccontextmanager
async def fake_api(**settings: int) -> AsyncIterator[FakeApi]:
    """Run one."""
    api = FakeApi(**settings)  # type: ignore[arg-type]
    app = web.Application()
    app.router.add_post("/orders", api.order)
    app.router.add_get("/orders/{order_id}", api.read)
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
    api: FakeApi, times_s: Sequence[float], *, source: OrderSource = NORMAL, connections: int = 64, attempts: int = 1
) -> list[Reply]:
    """Return all replies, by order number."""
    generator = Generator(Job(api.url, source, 1, "run", times_s, connections, attempts))
    try:
        await asyncio.to_thread(generator.start)
        replies: list[Reply] = []

        def done() -> bool:
            updates = generator.updates()
            replies.extend(reply for each in updates for reply in each.replies)
            return any(each.done for each in updates)

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


async def test_an_order_without_a_free_connection_waits_and_is_marked() -> None:
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
        replies = await sent(api, [0.0] * 5, source=Mix((("duplicate", 100.0),)))

    assert set(Counter(api.keys).values()) == {2}
    assert [len(reply.order_ids) for reply in replies] == [2] * 5


async def test_a_cancellation_follows_its_order() -> None:
    """With the id in the answer; the answer to the cancellation is recorded."""
    async with fake_api() as api:
        replies = await sent(api, [0.0] * 3, source=Mix((("cancel", 100.0),)))

    assert sorted(api.cancelled) == sorted(reply.order_ids[0] for reply in replies)
    assert {reply.cancellation for reply in replies} == {"unavailable"}


async def test_late_cancellations_wait_until_the_order_is_recorded() -> None:
    """The generator reads the order until the API has it."""
    async with fake_api(unrecorded=2) as api:
        (reply,) = await sent(api, [0.0], source=LateCancellation())

    assert api.reads == 3
    assert api.cancelled == list(reply.order_ids)


async def test_an_unavailable_api_is_tried_again() -> None:
    """As often as the job says, with the same key."""
    async with fake_api(failures=1) as api:
        (reply,) = await sent(api, [0.0], attempts=2)

    assert reply.answer == "acknowledged"
    assert len(api.keys) == 2
    assert len(set(api.keys)) == 1


async def test_kinds_of_answers_differ() -> None:
    """A refusal is final; after an outage the order may have landed."""
    seen = []
    for settings in ({"status": 422}, {"status": 503}, {"status": 429}, {"hang_up": True}):
        async with fake_api(**settings) as api:
            seen += [(reply.answer, reply.refusals) for reply in await sent(api, [0.0])]

    assert seen == [
        ("refused", ("422 Unprocessable Entity",)),
        ("unavailable", ("503 Service Unavailable",)),
        ("unavailable", ("429 Too Many Requests",)),
        ("unavailable", ("ServerDisconnectedError",)),
    ]


async def test_own_orders_are_sent_as_they_are() -> None:
    """Unchanged, and again when they run out."""
    own = {"customer_id": "ada", "note": "για το σπίτι ☕"}

    async with fake_api() as api:
        await sent(api, [0.0, 0.0], source=OwnOrders((own,)))

    assert api.bodies == [own, own]

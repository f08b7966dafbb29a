"""The generator, against an API that holds answers back, refuses or fails: it still sends on time."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from orderboard.burst.load.generator import Command, Generator, Job, Reply, Update, answer_of
from orderboard.burst.load.handle import start_together
from orderboard.burst.load.mix import PlannedOrder
from orderboard.burst.load.stream import Client, Closed, Open, Stream
from orderboard_stack.process import free_port
from support.waiting import eventually
from unit.rig.burst.summaries import Planned


@dataclass
class FakeApi:
    """Answers as configured, and records its requests."""

    together: int = 1  # answers wait until so many orders wait for one
    statuses: tuple[int, ...] = ()  # of the first orders; 0 aborts the connection
    unrecorded: int = 0  # so many reads find no order first
    keys: list[str] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)  # reads and cancellations, by order id
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
        status = (*self.statuses, 202)[min(len(self.keys), len(self.statuses))]
        self.keys.append(key)
        self.bodies.append(json.loads(await request.read()))
        await self._complete.wait()
        self.at_once -= 1
        if not status:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"order_id": f"id-{key}", "total_cents": 700}, status=status or 202)

    async def read(self, request: web.Request) -> web.StreamResponse:
        """GET /orders/ID."""
        self.log.append(("read", request.match_info["order_id"]))
        reads = sum(action == "read" for action, _ in self.log)
        return web.json_response({}, status=404 if reads <= self.unrecorded else 200)

    async def cancellation(self, request: web.Request) -> web.StreamResponse:
        """POST /orders/ID/cancellation."""
        self.log.append(("cancel", request.match_info["order_id"]))
        return web.json_response({}, status=503)


@asynccontextmanager
async def fake_api(api: FakeApi) -> AsyncIterator[FakeApi]:
    """Run one."""
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


async def all_updates(generator: Generator) -> list[Update]:
    """Start it, and return its updates once it is done."""
    try:
        await asyncio.to_thread(start_together, [generator])
        updates: list[Update] = []

        def done() -> bool:
            updates.extend(generator.updates())
            return bool(updates) and updates[-1].done

        await eventually(done, within_s=20)
    finally:
        await asyncio.to_thread(generator.stop)
    return updates


async def sent(
    api: FakeApi, times_s: Sequence[float], *planned: PlannedOrder, connections: int = 64, attempts: int = 1
) -> list[Reply]:
    """Return all replies, by order number."""
    job = Job(api.url, [Stream(Planned(planned), Open(times_s), 1, "run")], connections, attempts)
    replies = [reply for each in await all_updates(Generator(job)) for reply in each.replies]
    return sorted(replies)


async def test_orders_leave_on_time_though_none_is_answered() -> None:
    """An API that answers no order before it has all forty gets them: none leaves early, none waits for another."""
    async with fake_api(FakeApi(together=40)) as api:
        replies = await sent(api, [number / 100 for number in range(40)])

    assert api.most_at_once == 40
    assert [reply.number for reply in replies] == list(range(40))
    assert {reply.answer for reply in replies} == {"acknowledged"}
    assert {reply.waited for reply in replies} == {False}
    assert all(reply.intended_s <= reply.sent_s for reply in replies)
    assert min(reply.answered_s for reply in replies) >= max(reply.sent_s for reply in replies)


async def test_an_order_without_a_free_connection_waits_and_is_marked() -> None:
    """With two connections the third order leaves when one is answered; its latency counts from when it should have."""
    async with fake_api(FakeApi(together=2)) as api:
        replies = await sent(api, [0.0] * 6, connections=2)

    assert api.most_at_once == 2
    assert [reply.waited for reply in replies] == [False, False, True, True, True, True]
    assert replies[2].sent_s >= min(reply.answered_s for reply in replies[:2])
    assert replies[4].sent_s >= min(reply.answered_s for reply in replies[2:4])
    assert {reply.intended_s for reply in replies} == {0.0}


async def test_each_order_is_sent_as_planned() -> None:
    """The body unchanged, twice with one key, cancelled once it is accepted, or only once it is recorded."""
    own = {"customer_id": "ada", "note": "για το σπίτι ☕"}
    planned = (
        PlannedOrder("own", "own", own),
        PlannedOrder("duplicate", "twice", {}, sends=2),
        PlannedOrder("cancel", "early", {}, cancellation="at once"),
        PlannedOrder("cancel_late", "late", {}, cancellation="when final"),
    )

    async with fake_api(FakeApi(unrecorded=2)) as api:
        replies = await sent(api, [0.0] * 4, *planned)

    assert own in api.bodies
    assert Counter(api.keys) == {"own": 1, "twice": 2, "early": 1, "late": 1}
    assert [reply.order_ids for reply in replies] == [("id-own",), ("id-twice",) * 2, ("id-early",), ("id-late",)]
    assert ("cancel", "id-early") in api.log
    assert [action for action, order_id in api.log if order_id == "id-late"] == ["read", "read", "read", "cancel"]
    assert [reply.cancellation for reply in replies] == [None, None, "unavailable", "unavailable"]


async def test_kinds_of_answers_differ() -> None:
    """A refusal is final, and the first for a reason keeps its order; after an outage the order may have landed."""
    async with fake_api(FakeApi(statuses=(422, 503, 429, 408, 422, 0))) as api:
        replies = await sent(api, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])

    assert [(reply.answer, reply.refusals, reply.example) for reply in replies] == [
        ("refused", ("422 Unprocessable Entity",), "{}"),
        ("unavailable", ("503 Service Unavailable",), ""),
        ("unavailable", ("429 Too Many Requests",), ""),
        ("unavailable", ("408 Request Timeout",), ""),
        ("refused", ("422 Unprocessable Entity",), ""),
        ("unavailable", ("the connection was closed before the answer",), ""),
    ]


async def test_an_unavailable_api_is_tried_again() -> None:
    """As often as the job says, with the same key."""
    async with fake_api(FakeApi(statuses=(503,))) as api:
        (reply,) = await sent(api, [0.0], attempts=2)

    assert reply.answer == "acknowledged"
    assert api.keys == ["key-0", "key-0"]


async def test_an_order_that_reached_no_api_is_unreached() -> None:
    """Without a connection nothing can have been placed; an order sent twice is so only if neither send had one."""
    (reply,) = await sent(FakeApi(url=f"http://127.0.0.1:{free_port()}"), [0.0], attempts=2)

    assert (reply.answer, reply.refusals) == ("unreached", ("no connection: Connection refused",))
    assert answer_of(("unreached", "unavailable")) == answer_of(("refused", "unavailable")) == "unavailable"
    assert answer_of(("unreached", "refused")) == "refused"


async def test_an_order_that_may_have_landed_at_the_first_try_stays_unavailable() -> None:
    """A refusal of the second try does not take that back."""
    async with fake_api(FakeApi(statuses=(0, 422))) as api:
        (reply,) = await sent(api, [0.0], attempts=2)

    assert reply.answer == "unavailable"


@pytest.mark.parametrize(("command", "answered"), [("stop", [True]), ("abort", [])])
async def test_a_load_that_is_ended_early_says_how_much_was_sent(command: Command, answered: list[bool]) -> None:
    """To stop waits for answers; to abort does not, and the order has no reply. What comes later is never sent."""
    async with fake_api(FakeApi(together=2)) as api:
        generator = Generator(Job(api.url, [Stream(Planned(), Open([0.0, 600.0]), 1, "run")], 64))
        try:
            await asyncio.to_thread(start_together, [generator])
            await eventually(lambda: api.at_once == 1)
            generator.command(command)
            updates: list[Update] = []

            def done() -> bool:
                updates.extend(generator.updates())
                return bool(updates) and updates[-1].done

            if command == "abort":
                await eventually(done, within_s=20)
            async with aiohttp.ClientSession(api.url) as other:  # the API answers two at a time
                await other.post("/orders", json={}, headers={"Idempotency-Key": "other"})
            await eventually(done, within_s=20)
        finally:
            await asyncio.to_thread(generator.stop)

    assert updates[-1].sent == (1,)
    assert [reply.answer == "acknowledged" for each in updates for reply in each.replies] == answered


async def test_clients_send_the_next_order_after_an_answer() -> None:
    """Never more at once than there are clients; the answer to one that is being sent still comes after the end."""
    async with fake_api(FakeApi(together=3)) as api:
        updates = await all_updates(
            Generator(Job(api.url, [Stream(Planned(), Closed([Client(0, 600)] * 3, orders=9), 1, "run")], 1))
        )

    replies = sorted(reply for each in updates for reply in each.replies)
    assert api.most_at_once == 3
    assert [reply.number for reply in replies] == list(range(9))
    assert updates[-1].sent == (9,)
    answered_s = sorted(reply.answered_s for reply in replies)
    assert all(reply.sent_s >= answered_s[reply.number - 3] for reply in replies[3:])


async def test_a_client_sends_only_in_its_time() -> None:
    """One that begins later or has ended sends nothing; each ends its last order after its time."""
    times = [Client(0.0, 0.3), Client(0.2, 0.4), Client(0.5, 0.5)]
    async with fake_api(FakeApi()) as api:
        updates = await all_updates(
            Generator(Job(api.url, [Stream(Planned(), Closed(times, think_s=0.01), 1, "run")], 1))
        )

    intended_s = [reply.intended_s for each in updates for reply in each.replies]
    assert 0 <= min(intended_s) < 0.2
    assert max(intended_s) < 0.4

"""The complete worker on fakes: messages that succeed, fail, are poison, outlast their lease, or wait."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from orderboard_contracts.record import OrderRecord
from unit.worker.commands import cancellation, message, orders, placed
from unit.worker.fakes import MemoryBus, MemoryOrders, SqsQueue, queue_of
from unit.worker.running import SHORT_RETRY, running_worker, until
from worker import handlers, receiver
from worker.failures import ReceiptExpiredError
from worker.message import Lease, Message

VISIBILITY_TIMEOUT_S = 30


@pytest.fixture
def preparing(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """An event until which the preparation of every order with a fault lasts."""
    finish = asyncio.Event()

    async def wait(*_: object) -> None:
        await finish.wait()

    monkeypatch.setattr(handlers, "apply_fault", wait)
    return finish


async def test_messages_are_counted_by_queue_and_outcome() -> None:
    """The metrics have every message: orders by their outcome, the others as retried or poison."""
    work = queue_of(*orders(2), *orders(1, fault="flaky:1"), "no event", max_receive_count=2)
    express = queue_of(placed(priority="express").to_json())

    async with running_worker(work=work, express=express) as worker:
        await until(lambda: work.dead and not work.bodies and not express.bodies)

        assert (worker.count("completed"), worker.count("completed", "express")) == (3, 1)
        assert (worker.count("retried"), worker.count("poison")) == (1, 2)


async def test_a_visibility_timeout_that_ends_while_a_batch_waits() -> None:
    """Each message is then handled by itself, under its lease. It takes a second, the shortest visibility timeout."""
    table, work = _StuckOnce(), queue_of(*orders(3))

    async with running_worker(work=work, orders=table, work_visibility_timeout_s=1) as worker:
        await until(lambda: not work.bodies)

        assert table.stuck
        assert len(worker.orders.written) == len(worker.bus.emitted) == 3


class _StuckOnce(MemoryOrders):
    """Orders whose first batch never returns."""

    stuck = False

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        if not self.stuck:
            self.stuck = True
            await asyncio.Event().wait()
        return await super().insert_many(records)


async def test_a_delete_under_way_holds_up_no_order() -> None:
    """The next order is handled while the delete of the one before waits for others, or for SQS."""
    work = _SlowDeletes()
    work.send(*orders(2))

    async with running_worker(work=work, worker_concurrency=1) as worker:
        await until(lambda: len(worker.orders.rows) == 2)
        assert len(work.bodies) == 2
        work.deletes_return.set()
        await until(lambda: not work.bodies)


class _SlowDeletes(SqsQueue):
    """A queue that deletes only after an event."""

    def __init__(self) -> None:
        super().__init__()
        self.deletes_return = asyncio.Event()

    async def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        await self.deletes_return.wait()
        return await super().delete_message_batch(**request)


async def test_a_cancellation_that_arrives_during_preparation_wins(preparing: asyncio.Event) -> None:
    """An order that is being prepared when its cancellation comes is not made."""
    order = placed(fault="slow:1")
    work = queue_of(order.to_json())

    async with running_worker(work=work) as worker:
        await until(lambda: worker.consumer.leases)
        worker.express.send(cancellation(order.subject).to_json())
        await until(lambda: not worker.express.bodies)
        preparing.set()
        await until(lambda: not work.bodies)

        assert worker.orders.rows[order.subject].status == "cancelled"


@pytest.mark.parametrize("part", ["table", "bus"])
async def test_an_outage_uses_up_no_receives(part: str) -> None:
    """While the table or the bus is down, orders stay here and are retried together, after a wait; then all are made.

    Each wait is at least half the backoff's ceiling, so a number of waits that fit into the time bounds the calls.
    """
    table, bus, work = MemoryOrders(), MemoryBus(), queue_of(*orders(30), max_receive_count=2)
    down = table if part == "table" else bus
    down.down = True

    async with running_worker(work=work, orders=table, bus=bus) as worker:
        await until(lambda: worker.health.problems)
        loop = asyncio.get_running_loop()
        began, calls_before, receives_before = loop.time(), table.calls, work.receives
        await until(lambda: table.calls >= calls_before + 80)
        rounds = 1 + (loop.time() - began) / (SHORT_RETRY.max_s / 2)
        calls_an_order = 1 if part == "table" else 2
        assert table.calls - calls_before <= 8 * calls_an_order * rounds, "a hot loop"
        assert work.receives - receives_before <= 3 * rounds
        down.down = False
        await until(lambda: not work.bodies)

        assert not work.dead
        assert {row.receive_count for row in table.rows.values()} == {1}
        assert not worker.health.problems


async def test_a_queue_that_is_down_is_polled_again() -> None:
    """Health reports it, and the worker continues when the queue responds."""
    work = queue_of(*orders(1))
    work.down = True

    async with running_worker(work=work) as worker:
        await until(lambda: "queue work" in worker.health.problems)
        work.down = False
        await until(lambda: not work.bodies)

        assert not worker.health.problems


async def test_a_moderate_rate_shares_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a poll that was neither empty nor full, the next one waits: it receives what arrived meanwhile together."""
    gathering, gathered = asyncio.Event(), asyncio.Event()

    async def pause(_: float, until: asyncio.Event) -> None:
        del until
        gathering.set()
        await gathered.wait()

    monkeypatch.setattr(receiver, "pause", pause)
    work = queue_of(*orders(1))

    async with running_worker(work=work):
        await gathering.wait()
        work.send(*orders(7))
        received_before = work.receives
        gathered.set()
        await until(lambda: not work.bodies)

        assert received_before == 1
        assert work.receives <= 3, "one for the seven, and the next, which waits"


async def test_a_backlog_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polls of a backlog follow each other without a pause."""
    monkeypatch.setattr(receiver, "_GATHER_S", 3600)
    work = queue_of(*orders(30))

    async with running_worker(work=work):
        await until(lambda: not work.bodies)


async def test_work_that_outlasts_the_visibility_timeout_is_kept(preparing: asyncio.Event) -> None:
    """The heartbeat keeps messages, handled or only buffered, from being received again."""
    work = queue_of(*orders(4, fault="slow:1"))

    async with running_worker(
        work=work, worker_concurrency=2, work_visibility_timeout_s=VISIBILITY_TIMEOUT_S, heartbeat_interval_s=0.01
    ) as worker:
        await until(lambda: len(worker.consumer.leases) == 4)
        for _ in range(3):
            changes_before = work.visibility_changes
            await until(lambda: work.visibility_changes >= changes_before + 4)  # noqa: B023
            work.clock.advance(VISIBILITY_TIMEOUT_S - 1)
            assert work.visible == 0
        preparing.set()
        await until(lambda: not work.bodies)

        assert {row.receive_count for row in worker.orders.rows.values()} == {1}


async def test_a_lost_lease_cancels_its_handler(preparing: asyncio.Event) -> None:
    """After SQS rejects the receipt of a heartbeat, the handler ends, and the next receive makes the order."""
    work = queue_of(*orders(1, fault="slow:1"))

    async with running_worker(work=work, heartbeat_interval_s=0.01) as worker:
        await until(lambda: worker.consumer.leases)
        work.reject_receipts = True
        await until(lambda: worker.count("lost") == 1)
        work.reject_receipts = False
        preparing.set()
        work.clock.advance(VISIBILITY_TIMEOUT_S)
        await until(lambda: not work.bodies)

        assert [row.receive_count for row in worker.orders.written] == [2]


async def test_an_unexpected_error_concerns_one_message() -> None:
    """A bug in a handler costs its message its receives, and no other message anything."""
    work = queue_of("bug", "fine", "fine", max_receive_count=3)

    async def handle(received: Message) -> str:
        if received.body == "bug":
            raise KeyError("a bug")
        return "completed"

    async with running_worker(work=work, handle=handle) as worker:
        await until(lambda: not work.bodies and work.dead == ["bug"])

        assert worker.count("completed") == 2
        assert worker.count("retried") == 3


async def test_a_failed_delete_is_not_failed_work(caplog: pytest.LogCaptureFixture) -> None:
    """An order that is made while its receipt expires is not made again: the delete's failure is a line in the log."""
    work = queue_of("x")

    async def handle(_: Message) -> str:
        work.reject_receipts = True
        return "completed"

    async with running_worker(work=work, handle=handle) as worker:
        await until(lambda: "message.receipt_expired" in caplog.messages)

        assert worker.count("completed") == 1
        assert worker.count("retried") == 0


async def test_a_drain_finishes_what_is_under_way(preparing: asyncio.Event) -> None:
    """After stop nothing new is received; messages held are finished and deleted, the rest stays for others."""
    work = queue_of(*orders(40, fault="slow:1"))

    async with running_worker(work=work, worker_concurrency=4) as worker:
        held = await until(lambda: len(worker.consumer.leases))
        draining = asyncio.create_task(worker.drain())
        await worker.stop.wait()
        preparing.set()
        await draining

        assert held <= len(worker.orders.rows) < 40
        assert len(work.bodies) == 40 - len(worker.orders.rows)
        assert work.visible == len(work.bodies)
        assert len(worker.bus.emitted) == len(worker.orders.rows)


@pytest.mark.usefixtures("preparing")
async def test_a_drain_gives_back_what_the_deadline_cuts_short() -> None:
    """Work longer than the drain deadline is cancelled, and its message is visible to others at once."""
    work = queue_of(*orders(6, fault="slow:1"))

    async with running_worker(work=work, worker_concurrency=4, drain_deadline_s=0.1) as worker:
        await until(lambda: len(worker.consumer.leases) >= 3)
        async with asyncio.timeout(1):
            await worker.drain()

        assert work.visible == 6
        assert not worker.orders.rows


async def test_a_poll_that_responds_after_the_stop_gives_its_messages_back() -> None:
    """A poll under way is not cut short; messages that arrive too late are visible to others at once."""
    work = SqsQueue()

    async with running_worker(work=work) as worker:
        await until(lambda: work.receives)
        work.on_receive = worker.stop.set
        work.send(*orders(1))
        await worker.stop.wait()
        await worker.drain()

        assert work.visible == 1
        assert not worker.orders.rows


async def test_a_drain_during_an_outage_gives_back_at_once() -> None:
    """A drain does not wait for a table that is down: the queue keeps the orders."""
    work = queue_of(*orders(5))

    async with running_worker(work=work, orders=MemoryOrders(down=True)) as worker:
        await until(lambda: worker.health.problems)
        await worker.drain()

        assert len(work.bodies) == 5
        assert not worker.consumer.leases


async def test_an_expired_lease_stops_the_work_by_the_clock() -> None:
    """A worker that was frozen past the visibility timeout cancels its work without a call to SQS."""
    lease = Lease(message(""), asyncio.get_running_loop().time() + 0.01)

    with pytest.raises(ReceiptExpiredError, match="timeout ended"):
        async with lease.working():
            await asyncio.Event().wait()
    with pytest.raises(ReceiptExpiredError, match="expired before work began"):
        async with lease.working():
            raise AssertionError("never begun")


async def test_a_timeout_inside_the_work_is_not_a_lost_lease() -> None:
    """The work's own TimeoutError stays what it is."""
    lease = Lease(message(""), asyncio.get_running_loop().time() + 30)

    with pytest.raises(TimeoutError, match="mine"):
        async with lease.working():
            raise TimeoutError("mine")


def test_visibility_is_never_extended_past_twelve_hours() -> None:
    """SQS rejects a total of more than 43200 s since the receive, so the last extensions shrink, and then end."""
    received = message("", received_at=100.0)

    assert received.extension_s(30, 100.0 + 60) == 30
    assert received.extension_s(30, 100.0 + 43_200 - 10) == 9
    assert received.extension_s(30, 100.0 + 43_200) == 0

"""The promises to each message, for both entries of the worker: the process, and the function behind its mappings."""

import json
import logging
from pathlib import Path

import pytest
from orderboard_contracts.events import Command
from unit.worker.commands import cancellation, orders, placed
from unit.worker.fakes import MemoryBus, MemoryOrders, queue_of
from unit.worker.running import ENTRIES, Entry, until

SAMPLES = Path(__file__).parents[3] / "contracts" / "samples"


@pytest.fixture(params=ENTRIES)
def running(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Entry:
    """Runs a worker, by one entry or the other. Its log lines are kept."""
    caplog.set_level(logging.INFO)
    return ENTRIES[request.param]


async def test_every_order_is_recorded_emitted_and_deleted(running: Entry) -> None:
    """A backlog on both queues ends as rows and outcomes, and the queues are empty."""
    work = queue_of(*orders(60))
    express = queue_of(*(placed(priority="express").to_json() for _ in range(25)))

    async with running(work=work, express=express) as worker:
        await until(lambda: not work.bodies and not express.bodies)

        assert len(worker.orders.rows) == 85
        assert len(worker.bus.emitted) == 85


async def test_every_message_twice_in_one_receive(running: Entry, caplog: pytest.LogCaptureFixture) -> None:
    """Each order has one row and one outcome, which the second message may repeat; both messages are deleted."""
    bodies = orders(5)
    work = queue_of(*bodies, *bodies)

    async with running(work=work, worker_concurrency=20) as worker:
        await until(lambda: not work.bodies)

        assert len(worker.orders.written) == 5
        assert len({event.id for event in worker.bus.emitted}) == 5
        assert caplog.messages.count("order.completed") == 10


async def test_every_kind_of_message_in_one_receive(running: Entry, caplog: pytest.LogCaptureFixture) -> None:
    """A message that cannot be made together with new orders is handled by itself, and holds up none of them."""
    twice, early = placed(), placed()
    conflict = placed(twice.subject, quantity=9)
    bodies: list[Command] = [
        twice,
        cancellation(early.subject),
        conflict,
        twice,
        early,
        placed(fault="flaky:1"),
        placed(),
    ]
    work = queue_of("no event", *(each.to_json() for each in bodies), max_receive_count=3)

    async with running(work=work, worker_concurrency=20) as worker:
        await until(lambda: work.dead == ["no event"] and not work.bodies)

        rows = worker.orders.rows
        assert {each.subject for each in bodies} == set(rows)
        assert rows[twice.subject].digest == twice.data.digest
        assert rows[early.subject].status in ("cancelled", "completed")
        assert caplog.messages.count("order.conflict") == 1


async def test_a_killed_worker_leaves_a_row_without_its_outcome(running: Entry) -> None:
    """The next receive publishes the outcome from the row, which stays as the first worker wrote it."""
    order = placed()
    table = MemoryOrders()
    async with running(work=queue_of(order.to_json()), orders=table, bus=MemoryBus(down=True), remaining_s=0.1):
        await until(lambda: table.written)
    (written,) = table.written

    work = queue_of(order.to_json())
    async with running(work=work, orders=table) as worker:
        await until(lambda: not work.bodies)

        assert table.written == [written]
        assert [event.time for event in worker.bus.emitted] == [written.recorded_at]


async def test_a_cancellation_that_comes_first_wins(running: Entry) -> None:
    """The tombstone waits; the order is recorded as cancelled when it comes."""
    order = placed()
    express = queue_of(cancellation(order.subject).to_json())

    async with running(express=express) as worker:
        await until(lambda: not express.bodies)
        worker.work.send(order.to_json())
        await until(lambda: not worker.work.bodies)

        assert worker.orders.rows[order.subject].status == "cancelled"
        assert [event.type for event in worker.bus.emitted] == ["orderboard.order.cancelled.v1"]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "{}",
        "[" * 10_000,
        json.dumps({"type": "orderboard.order.placed.v9"}),
        placed(fault="poison").to_json(),
        '{"specversion": "1.0", "id": "1", "type": "orderboard.order.placed.v1"}',
        "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
    ids=["no json", "empty", "deep", "unknown type", "poison", "incomplete", "surrogate"],
)
async def test_a_message_that_can_never_be_handled_goes_to_the_dlq_at_once(
    running: Entry, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Poison is received maxReceiveCount times without waiting, and does not affect other orders."""
    work = queue_of(*orders(10), body, *orders(10), max_receive_count=3)

    async with running(work=work) as worker:
        await until(lambda: work.dead == [body] and not work.bodies)

        assert caplog.messages.count("message.poison") == 3
        assert len(worker.orders.rows) == 20


async def test_an_outcome_event_on_a_command_queue_is_poison(running: Entry) -> None:
    """An event that strays onto a queue for commands is not handled, whatever it contains."""
    async with running(work=queue_of(*orders(1))) as worker:
        await until(lambda: worker.bus.emitted)
        stray = worker.bus.emitted[0].to_json()
        worker.work.send(stray)
        await until(lambda: worker.work.dead == [stray])


async def test_a_flaky_order_heals(running: Entry, caplog: pytest.LogCaptureFixture) -> None:
    """flaky:2 fails two receives, is retried each time, and is made at the third."""
    order = placed(fault="flaky:2")
    work = queue_of(order.to_json())

    async with running(work=work) as worker:
        await until(lambda: not work.bodies)

        assert caplog.messages.count("message.retry_scheduled") == 2
        assert worker.orders.rows[order.subject].receive_count == 3


async def test_faults_are_ignored_unless_allowed(running: Entry, caplog: pytest.LogCaptureFixture) -> None:
    """Without ORDERBOARD_ALLOW_FAULTS a fault is only a line in the log."""
    work = queue_of(*orders(1, fault="poison"))

    async with running(work=work, allow_faults=False) as worker:
        await until(lambda: not work.bodies)

        assert len(worker.orders.rows) == 1
        assert "fault.ignored" in caplog.messages


async def test_golden_samples_are_understood(running: Entry, caplog: pytest.LogCaptureFixture) -> None:
    """Every sample command of the contracts is handled, and every other sample event is rejected as not a command."""
    samples = {sample.name: sample.read_text() for sample in SAMPLES.glob("*.json")}
    commands = {name for name in samples if ".placed." in name or ".cancellation_requested." in name}
    assert commands, f"no samples in {SAMPLES}"
    work = queue_of(*samples.values(), max_receive_count=1)

    async with running(work=work, allow_faults=False):
        await until(lambda: not work.bodies)

        assert sorted(work.dead) == sorted(samples[name] for name in samples.keys() - commands)
        assert "message.retry_scheduled" not in caplog.messages

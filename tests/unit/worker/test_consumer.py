"""The worker's shell on fakes: messages that succeed, fail, poison, outlast their receipt, or wait."""

import asyncio
import json
from pathlib import Path

import pytest
from support import eventually
from unit.worker.commands import cancellation, placed
from unit.worker.fakes import FakeSqs, MemoryBus, MemoryOrders
from unit.worker.running import running_worker
from worker.failures import ReceiptExpiredError
from worker.message import Held, Message

SAMPLES = Path(__file__).parents[3] / "contracts" / "samples"


async def test_every_order_is_recorded_told_and_deleted() -> None:
    """A backlog on both queues ends as rows and outcomes, and the queues are empty."""
    work, express = FakeSqs(), FakeSqs()
    work.send(*(placed().to_json() for _ in range(60)))
    express.send(*(placed(priority="express").to_json() for _ in range(25)))

    async with running_worker(work=work, express=express) as worker:
        await eventually(lambda: not work.bodies and not express.bodies)

        assert len(worker.orders.rows) == 85
        assert len(worker.bus.told) == 85
        assert (worker.count("completed"), worker.count("completed", "express")) == (60, 25)


async def test_a_cancellation_that_comes_first_wins() -> None:
    """The tombstone waits; the order is recorded as cancelled when it comes."""
    order = placed()
    express = FakeSqs()
    express.send(cancellation(order.subject).to_json())

    async with running_worker(express=express) as worker:
        await eventually(lambda: not express.bodies)
        worker.work.send(order.to_json())
        await eventually(lambda: not worker.work.bodies)

        assert worker.orders.rows[order.subject].status == "cancelled"
        assert [event.type for event in worker.bus.told] == ["orderboard.order.cancelled.v1"]


async def test_a_cancellation_that_arrives_during_preparation_wins() -> None:
    """An order that is being prepared when its cancellation comes is not made."""
    order = placed(fault="slow:300")
    work = FakeSqs()
    work.send(order.to_json())

    async with running_worker(work=work) as worker:
        await eventually(lambda: worker.heartbeat.in_hand)
        worker.express.send(cancellation(order.subject).to_json())
        await eventually(lambda: not work.bodies)

        assert worker.orders.rows[order.subject].status == "cancelled"


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
)
async def test_a_message_that_can_never_be_handled_goes_to_the_dlq_at_once(body: str) -> None:
    """Poison is received maxReceiveCount times without waiting, and the other orders do not feel it."""
    work = FakeSqs(max_receive_count=3)
    work.send(*(placed().to_json() for _ in range(10)), body, *(placed().to_json() for _ in range(10)))

    async with running_worker(work=work) as worker:
        await eventually(lambda: work.dead == [body] and not work.bodies)

        assert worker.count("poison") == 3
        assert worker.count("completed") == 20


async def test_an_outcome_event_on_a_command_queue_is_poison() -> None:
    """A fact that strays onto a queue for commands is not handled, whatever it says."""
    async with running_worker() as worker:
        worker.work.send(placed().to_json())
        await eventually(lambda: worker.bus.told)
        stray = worker.bus.told[0].to_json()
        worker.work.send(stray)
        await eventually(lambda: worker.work.dead == [stray])


async def test_a_flaky_order_heals() -> None:
    """flaky:2 fails two receives, is retried each time, and is made at the third."""
    work = FakeSqs()
    order = placed(fault="flaky:2")
    work.send(order.to_json())

    async with running_worker(work=work) as worker:
        await eventually(lambda: not work.bodies)

        assert worker.count("retried") == 2
        assert worker.orders.rows[order.subject].receive_count == 3


async def test_faults_are_ignored_unless_allowed(caplog: pytest.LogCaptureFixture) -> None:
    """Without ORDERBOARD_ALLOW_FAULTS a fault is only a line in the log."""
    work = FakeSqs()
    work.send(placed(fault="poison").to_json())

    async with running_worker(work=work, allow_faults=False) as worker:
        await eventually(lambda: not work.bodies)

        assert worker.count("completed") == 1
        assert "fault.ignored" in caplog.messages


@pytest.mark.parametrize("part", ["table", "bus"])
async def test_an_outage_uses_up_no_receives(part: str) -> None:
    """While the table or the bus is down, orders stay in hand and polling pauses; then all are made, at receive 1."""
    orders, bus, work = MemoryOrders(), MemoryBus(), FakeSqs(max_receive_count=2)
    down = orders if part == "table" else bus
    down.down = True
    work.send(*(placed().to_json() for _ in range(30)))

    async with running_worker(work=work, orders=orders, bus=bus) as worker:
        await eventually(lambda: worker.health.problems)
        calls_before, receives_before = orders.calls, work.receives
        await asyncio.sleep(0.3)
        assert orders.calls - calls_before < 2 * 8 * 0.3 / 0.005, "a hot loop"
        assert work.receives - receives_before < 20
        down.down = False
        await eventually(lambda: not work.bodies)

        assert not work.dead
        assert {row.receive_count for row in orders.rows.values()} == {1}
        assert not worker.health.problems


async def test_a_queue_that_is_down_is_polled_again() -> None:
    """The worker says so in its health, and goes on when the queue answers."""
    work = FakeSqs()
    work.down = True

    async with running_worker(work=work) as worker:
        await eventually(lambda: "queue work" in worker.health.problems)
        work.send(placed().to_json())
        work.down = False
        await eventually(lambda: not work.bodies)

        assert not worker.health.problems


async def test_work_that_outlasts_the_visibility_timeout_is_kept() -> None:
    """The heartbeat keeps an order at work, and one that only waits, from being received again."""
    work = FakeSqs()
    work.send(*(placed(fault="slow:1500").to_json() for _ in range(4)))

    async with running_worker(work=work, visibility_timeout_s=1, heartbeat_s=0.3, hands=2) as worker:
        await eventually(lambda: not work.bodies, within_s=8)

        assert {row.receive_count for row in worker.orders.rows.values()} == {1}


async def test_a_lost_receipt_cancels_its_handler() -> None:
    """When the heartbeat is told that the receipt is void, the handler ends, and the order is made by the next."""
    work = FakeSqs()
    order = placed(fault="slow:600")
    work.send(order.to_json())

    async with running_worker(work=work, heartbeat_s=0.05, visibility_timeout_s=1) as worker:
        await eventually(lambda: worker.heartbeat.in_hand)
        work.expire_receipts()
        await eventually(lambda: not work.bodies)

        assert worker.count("lost") == 1
        assert [row.receive_count for row in worker.orders.written] == [2]


async def test_an_unforeseen_error_is_one_messages_trouble() -> None:
    """A bug in a handler costs its message its receives, and nobody else anything."""
    work = FakeSqs(max_receive_count=3)
    work.send("bug", "fine", "fine")

    async def handle(message: Message) -> str:
        if message.body == "bug":
            raise KeyError("a bug")
        return "completed"

    async with running_worker(work=work, handle=handle) as worker:
        await eventually(lambda: not work.bodies and work.dead == ["bug"])

        assert worker.count("completed") == 2
        assert worker.count("retried") == 3


async def test_a_failed_delete_is_not_failed_work(caplog: pytest.LogCaptureFixture) -> None:
    """An order that is made while its receipt expires is not made again: the delete's failure is a line in the log."""
    work = FakeSqs()
    work.send("x")

    async def handle(_: Message) -> str:
        work.expire_receipts()
        return "completed"

    async with running_worker(work=work, handle=handle) as worker:
        await eventually(lambda: "message.receipt_expired" in caplog.messages)

        assert worker.count("completed") >= 1


async def test_a_drain_finishes_what_is_in_hand() -> None:
    """After stop nothing new is received, what is in hand is finished and deleted, the rest stays for others."""
    work = FakeSqs()
    work.send(*(placed(fault="slow:200").to_json() for _ in range(40)))

    async with running_worker(work=work, hands=4) as worker:
        await eventually(lambda: worker.heartbeat.in_hand)
        await worker.drain()

        assert worker.orders.rows
        assert len(work.bodies) == 40 - len(worker.orders.rows)
        assert work.visible == len(work.bodies)
        assert len(worker.bus.told) == len(worker.orders.rows)


async def test_a_drain_gives_back_what_the_deadline_cuts_short() -> None:
    """Work longer than the drain deadline is cancelled, and its message is visible to others at once."""
    work = FakeSqs()
    work.send(*(placed(fault="slow:60000").to_json() for _ in range(6)))

    async with running_worker(work=work, hands=2, drain_deadline_s=0.2) as worker:
        await eventually(lambda: len(worker.heartbeat.in_hand) >= 3)
        began = asyncio.get_running_loop().time()
        await worker.drain()

        assert asyncio.get_running_loop().time() - began < 1
        assert work.visible == 6
        assert not worker.orders.rows


async def test_a_poll_that_answers_after_the_stop_gives_its_messages_back() -> None:
    """A poll under way is not cut short; what it brings too late is visible to others at once."""
    work = FakeSqs()

    async with running_worker(work=work) as worker:
        await eventually(lambda: work.receives)
        work.on_receive = worker.stop.set
        work.send(placed().to_json())
        await worker.task

        assert work.visible == 1
        assert not worker.orders.rows


async def test_a_drain_during_an_outage_gives_back_at_once() -> None:
    """Orders that wait for a table are not waited for: the queue keeps them."""
    work, orders = FakeSqs(), MemoryOrders(down=True)
    work.send(*(placed().to_json() for _ in range(5)))

    async with running_worker(work=work, orders=orders) as worker:
        await eventually(lambda: worker.health.problems)
        await worker.drain()

        assert len(work.bodies) == 5
        assert not worker.heartbeat.in_hand


async def test_golden_samples_are_understood() -> None:
    """Every sample command of the contracts is handled, and every other sample event is refused as no command."""
    samples = {sample.name: sample.read_text() for sample in SAMPLES.glob("*.json")}
    commands = {name for name in samples if ".placed." in name or ".cancellation_requested." in name}
    assert commands, f"no samples in {SAMPLES}"
    work = FakeSqs(max_receive_count=1)
    work.send(*samples.values())

    async with running_worker(work=work, allow_faults=False) as worker:
        await eventually(lambda: not work.bodies)

        assert sorted(work.dead) == sorted(samples[name] for name in samples.keys() - commands)
        assert worker.count("retried") == 0


async def test_a_hold_that_ran_out_stops_the_work_by_the_clock() -> None:
    """A worker that was frozen past the visibility timeout cancels what it was doing, with no call to SQS."""
    loop = asyncio.get_running_loop()
    raw = {"MessageId": "m", "ReceiptHandle": "r", "Body": "", "Attributes": {"ApproximateReceiveCount": "1"}}
    held = Held(Message.of("work", raw, loop.time()), loop.time() + 0.05)

    with pytest.raises(ReceiptExpiredError, match="ran out"):
        async with held.working():
            await asyncio.sleep(5)
    with pytest.raises(ReceiptExpiredError, match="longer than it was ours"):
        async with held.working():
            raise AssertionError("never begun")


async def test_a_timeout_inside_the_work_is_not_a_lost_receipt() -> None:
    """The work's own TimeoutError stays what it is."""
    loop = asyncio.get_running_loop()
    raw = {"MessageId": "m", "ReceiptHandle": "r", "Body": "", "Attributes": {"ApproximateReceiveCount": "1"}}
    held = Held(Message.of("work", raw, loop.time()), loop.time() + 30)

    with pytest.raises(TimeoutError, match="mine"):
        async with held.working():
            raise TimeoutError("mine")


def test_visibility_is_never_extended_past_twelve_hours() -> None:
    """SQS refuses a total of more than 43200 s since the receive, so the last extensions shrink, and then end."""
    raw = {"MessageId": "m", "ReceiptHandle": "r", "Body": "", "Attributes": {"ApproximateReceiveCount": "1"}}
    message = Message.of("work", raw, 100.0)

    assert message.extension_s(30, 100.0 + 60) == 30
    assert message.extension_s(30, 100.0 + 43_200 - 10) == 9
    assert message.extension_s(30, 100.0 + 43_200) == 0

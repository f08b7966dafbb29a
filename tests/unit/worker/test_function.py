"""The worker as a function: its response, its time, an outage, and the events that it refuses."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, cast

import pytest
from orderboard_contracts.record import OrderRecord
from unit.worker.commands import placed
from unit.worker.fakes import MemoryBus, MemoryOrders, SqsQueue, queue_of
from unit.worker.running import record_of, running_function
from worker import handler
from worker.function import NotABatchError
from worker.handler import SettingsError

VISIBILITY_TIMEOUT_S = 30
ENVIRONMENT = {
    "ORDERBOARD_WORK_QUEUE": "cafe-work",
    "ORDERBOARD_EXPRESS_QUEUE": "cafe-express",
    "ORDERBOARD_BUS_NAME": "cafe",
    "ORDERBOARD_ORDERS_TABLE": "cafe-orders",
}


def queue_with(*faults: str | None) -> SqsQueue:
    """A queue with an order for each fault; None: an order without."""
    return queue_of(*(placed(fault=fault).to_json() for fault in faults))


async def records(queue: SqsQueue) -> list[dict[str, Any]]:
    """Receive messages as records."""
    received = await queue.receive_message(
        MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )
    return [record_of(message, "cafe-work") for message in received["Messages"]]


async def test_only_what_failed_is_reported() -> None:
    """The response names the messages that failed, by message id; Lambda deletes the others."""
    work = queue_with(None, "flaky:1", None, "poison")
    async with running_function(work=work, polls=False) as running:
        batch = await records(work)

        response = await running.function.handle({"Records": batch}, 30)

        failed = [failure["itemIdentifier"] for failure in response["batchItemFailures"]]
        assert failed == [batch[1]["messageId"], batch[3]["messageId"]]
        assert len(running.orders.rows) == len(running.bus.emitted) == 2
        assert work.visible == 2, "both are returned: the flaky one after its backoff, poison at once"


async def test_work_ends_with_the_invocation() -> None:
    """An order that takes longer than the function may is reported as failed, and holds up no other of its batch.

    It stays invisible for the rest of the visibility timeout, so nobody else has it meanwhile.
    """
    work = queue_with("slow:60000", None)
    async with running_function(work=work, polls=False, remaining_s=0.2) as running:
        await running.poll()

        assert len(running.orders.rows) == 1
        assert (len(work.bodies), work.visible) == (1, 0)
        work.clock.advance(VISIBILITY_TIMEOUT_S)
        assert work.visible == 1


@pytest.mark.parametrize("part", ["table", "bus"])
async def test_an_outage_is_an_error_of_the_function(part: str) -> None:
    """If no message of the batch was handled because a backend is away, the invocation fails: Lambda then slows down.

    Its messages are received again, and handled, when their visibility timeout ends.
    """
    table, bus, work = MemoryOrders(), MemoryBus(), queue_with(None, None, None)
    down = table if part == "table" else bus
    down.down = True
    async with running_function(work=work, orders=table, bus=bus, polls=False, remaining_s=0.2) as running:
        await running.poll()

        (error,) = running.errors
        assert "no message of 3 was handled" in str(error)
        assert (len(work.bodies), work.visible) == (3, 0)
        down.down = False
        work.clock.advance(VISIBILITY_TIMEOUT_S)
        await running.poll()
        assert not work.bodies
        assert len({event.id for event in running.bus.emitted}) == 3


async def test_a_short_outage_costs_no_receive() -> None:
    """A backend that is back within the invocation is tried again there: every order is made at its first receive."""
    table, work = _DownForCalls(4), queue_with(None, None)
    async with running_function(work=work, orders=table, polls=False) as running:
        await running.poll()

        assert not work.bodies
        assert {row.receive_count for row in running.orders.rows.values()} == {1}


class _DownForCalls(MemoryOrders):
    """Orders whose first calls fail."""

    def __init__(self, count: int) -> None:
        super().__init__(down=True)
        self._left = count

    def _respond(self) -> None:
        self.down = self._left > 0
        self._left -= 1
        super()._respond()


async def test_a_partial_outage_keeps_what_was_done() -> None:
    """If some messages were handled, the response names the others, and no error repeats the whole batch."""
    table, work = _OnlyOne(), queue_with(None, None, None)
    async with running_function(work=work, orders=table, polls=False, remaining_s=0.2) as running:
        await running.poll()

        assert not running.errors
        assert (len(work.bodies), len(running.bus.emitted)) == (2, 1)


class _OnlyOne(MemoryOrders):
    """Orders that accept one, and are down from then on."""

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        written = [await self._inserted(records[0]), *(False for _ in records[1:])]
        self.down = True
        return written


async def test_a_stuck_pass_leaves_its_messages_to_the_next_receive() -> None:
    """A call that never returns uses up the invocation and nothing else; no message is lost or reported as done."""
    work = queue_with(None, None)
    async with running_function(work=work, orders=_Stuck(), polls=False, remaining_s=0.2) as running:
        response = await running.function.handle({"Records": await records(work)}, 0.2)

        assert len(response["batchItemFailures"]) == 2
        assert len(work.bodies) == 2


class _Stuck(MemoryOrders):
    """Orders that never return."""

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        del records
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": None}, {"detail": {}}])
async def test_an_event_without_records_is_refused(event: dict[str, Any]) -> None:
    """An invocation by hand gets an error that says how to try the function."""
    async with running_function(polls=False) as running:
        with pytest.raises(NotABatchError, match="send a message to one of its queues"):
            await running.function.handle(event, 30)


async def test_a_record_of_another_queue_is_refused() -> None:
    """A mapping of another queue is an error that names both, and none of its messages is deleted."""
    work = queue_with(None)
    async with running_function(work=work, polls=False) as running:
        (record,) = await records(work)
        record["eventSourceARN"] = record["eventSourceARN"].replace("cafe-work", "cafe-alerts")

        with pytest.raises(NotABatchError, match="'cafe-alerts'; expected cafe-work or cafe-express"):
            await running.function.handle({"Records": [record]}, 30)


def test_import_needs_no_environment() -> None:
    """The module can be imported without settings, region or credentials: nothing is read before the first batch."""
    code = "import worker.handler, sys; sys.exit(worker.handler._environment.cache_info().currsize)"

    done = subprocess.run([sys.executable, "-c", code], env={"PATH": os.defpath}, check=False, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A function that was deployed without one of its settings names it, and asks for the others no more."""
    for each, value in ENVIRONMENT.items():
        monkeypatch.setenv(each, value)
    monkeypatch.delenv(name)
    handler._environment.cache_clear()

    with pytest.raises(SettingsError, match=f"^{name}: Field required$"):
        handler.handle({"Records": []}, cast("Any", None))

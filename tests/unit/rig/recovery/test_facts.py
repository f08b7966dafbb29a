"""The rows that follow from facts, under any interleaving of orders, cancellations, crashes, the backup and the loss.

The worker's own handlers write to a table of localbus, which is deleted and restored; the archive is the list of all
events, repeated and reordered.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from localbus.errors import AwsError
from order_api.placement import cancellation_requested
from orderboard.recovery.facts import Facts
from orderboard.recovery.rows import condition
from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.order_codec import from_item, to_item
from orderboard_contracts.events import (
    CancellationRefused,
    CancellationRequested,
    Event,
    OrderCompleted,
    OrderPlaced,
    OutcomeEvent,
)
from orderboard_contracts.identity import event_id_for, order_id_for
from orderboard_contracts.record import FINAL_STATUSES, OrderRecord
from support.dynamodb import Tables
from unit.rig.recovery.bar import placed_order, rebuilt
from unit.worker.commands import TRACE
from worker.circuit_breaker import CircuitBreaker
from worker.failures import RowChangedError
from worker.handlers import Handlers, ProcessingSettings
from worker.health import Health
from worker.message import Message
from worker.order import Emit, RecordingContext, record_of, resolve_cancellation, resolve_existing

TABLE = "orders"
SKUS = {"plain": ("tea", 1), "sold out": ("cinnamon-bun", 1), "conflict": ("tea", 2)}
ORDERS = [order_id_for(f"order-{number}") for number in range(2)]

Step = tuple[str, int, str]  # what, of which order or message, and how


class CrashError(Exception):
    """The worker dies."""


@dataclass
class World:
    """Everything outside the worker: the table, the bus with its archive, and the queue."""

    tables: Tables = field(default_factory=Tables)
    archive: list[Event] = field(default_factory=list)
    queue: list[OrderPlaced | CancellationRequested] = field(default_factory=list)
    crashes: bool = False
    handled: set[str] = field(default_factory=set)  # orders whose cancellation was handled

    def __post_init__(self) -> None:
        self.tables.create(TABLE, "order_id:S")
        processing = ProcessingSettings("worker-1", 0, {"cinnamon-bun"}, allow_faults=False)
        breaker = CircuitBreaker(Backoff(1, 1), Health())
        self.handlers = Handlers(self, self, processing, breaker, self.now)

    def now(self) -> datetime:
        """The time, which no two steps share."""
        self.tables.clock.advance(1)
        return datetime.fromtimestamp(self.tables.clock.now(), UTC)

    # The store of orders and the bus, as the worker knows them

    async def insert(self, record: OrderRecord) -> bool:
        """Write the row unless there is one."""
        return self.put(TABLE, record, {"ConditionExpression": "attribute_not_exists(order_id)"})

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        """Not used: each message is handled alone."""
        raise NotImplementedError

    async def get(self, order_id: str) -> OrderRecord:
        """Return the row."""
        return self.rows()[order_id]

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Replace a tombstone."""
        if not self.put(TABLE, record, condition(record)):
            raise RowChangedError

    async def emit(self, event: OutcomeEvent) -> None:
        """Publish, unless the worker dies first."""
        if self.crashes:
            raise CrashError
        self.archive.append(event)

    async def emit_many(self, events: Sequence[OutcomeEvent]) -> list[bool]:
        """Not used: each message is handled alone."""
        raise NotImplementedError

    def put(self, table: str, row: OrderRecord, given_condition: dict[str, Any]) -> bool:
        """Write a row under a condition; return whether it held."""
        try:
            self.tables.call("PutItem", TableName=table, Item=to_item(row), **given_condition)
        except AwsError as exc:
            if exc.code != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def rows(self) -> dict[str, OrderRecord]:
        """The table, by order."""
        found = map(from_item, self.tables.call("Scan", TableName=TABLE)["Items"])
        return {row.order_id: row for row in found}

    # Steps

    def take(self, step: Step) -> None:
        """Take a step."""
        what, which, how = step
        match what:
            case "place":
                sku, quantity = SKUS[how]
                self._accept(placed_order(ORDERS[which], self.now(), sku=sku, quantity=quantity))
            case "cancel":
                self._accept(cancellation_requested(ORDERS[which], reason=None, at=self.now(), trace=TRACE))
            case "work" if self.queue:
                self._work(which % len(self.queue), how)

    def _accept(self, command: OrderPlaced | CancellationRequested) -> None:
        self.archive.append(command)
        self.queue.append(command)

    def _work(self, index: int, how: str) -> None:
        command, self.crashes = self.queue[index], how == "crashed"
        message = Message("work", command.id, "handle", command.to_json(), 1, 0.0)
        try:
            _RUNNER.run(self.handlers.handle(message))
        except CrashError:
            return
        finally:
            self.crashes = False
        if how == "done":
            del self.queue[index]
            if isinstance(command, CancellationRequested):
                self.handled.add(command.subject)

    def lose_and_restore(self, backup_arn: str, seed: int) -> None:
        """Delete the table, restore its backup, and add the rows that follow from the archive."""
        self.tables.call("DeleteTable", TableName=TABLE)
        self.tables.call("RestoreTableFromBackup", TargetTableName=TABLE, BackupArn=backup_arn)
        facts = self.archive * 2
        random.Random(seed).shuffle(facts)
        found = Facts.of(facts)
        assert found.incomplete() == []
        for row in found.rows():
            self.put(TABLE, row, condition(row))


_RUNNER = asyncio.Runner()


@contextmanager
def _world() -> Iterator[World]:
    world = World()
    yield world
    world.tables.state.stop()


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.integers(0, 1), st.sampled_from(sorted(SKUS))),
        st.tuples(st.just("cancel"), st.integers(0, 1), st.just("")),
        st.tuples(st.just("work"), st.integers(0, 3), st.sampled_from(["done", "twice", "crashed"])),
        st.tuples(st.just("work"), st.integers(0, 3), st.just("done")),
    ),
    max_size=9,
)
_LATE_CANCELLATION: Any = [("place", 0, "plain"), ("work", 0, "crashed"), ("cancel", 0, ""), ("work", 1, "done")]


@settings(max_examples=120, deadline=None)
@given(before=_STEPS, gap=_STEPS, after=_STEPS, seed=st.integers(0, 9))
@example(before=[], gap=_LATE_CANCELLATION, after=[], seed=0)
@example(before=[], gap=[("cancel", 0, ""), ("work", 0, "done")], after=[("place", 0, "plain")], seed=0)
def test_no_order_ends_twice(before: list[Step], gap: list[Step], after: list[Step], seed: int) -> None:
    """Whatever happened before the backup, between it and the loss, and after the restore: each order ends once.

    The outcomes on the bus before the loss stay true: the table has each of them, and an order that could not be
    cancelled is not cancelled. A cancellation whose order had not come yet still cancels it.
    """
    with _world() as world:
        for step in before:
            world.take(step)
        backup = world.tables.call("CreateBackup", TableName=TABLE, BackupName="nightly")["BackupDetails"]["BackupArn"]
        for step in gap:
            world.take(step)
        lost, published, cancelled = world.rows(), list(world.archive), set(world.handled)

        world.lose_and_restore(backup, seed)

        back = world.rows()
        for event in published:
            if _ended(event) and event.id == _outcome_id(lost[event.subject], event):
                was, found = rebuilt(lost[event.subject]), rebuilt(back[event.subject])
                assert found == _as_first_placed(was, found)
        for step in after:
            world.take(step)
        while world.queue:
            world.take(("work", seed, "twice"))
            world.take(("work", seed, "done"))
        _check_ends(world, {order for order in cancelled if order in lost and lost[order].status not in FINAL_STATUSES})


def _ended(event: Event) -> str:
    """Return the final status of an event, if it has one."""
    status = event.type.split(".")[-2]
    is_conflict = getattr(event.data, "reason", None) == "idempotency_conflict"
    return status if status in FINAL_STATUSES and not is_conflict else ""


def _outcome_id(row: OrderRecord, event: Event) -> str:
    return event_id_for(event.type, row.order_id, row.digest or "")


def _as_first_placed(lost: OrderRecord, back: OrderRecord) -> OrderRecord:
    """Return the lost row with the time of the first of equal requests: no fact tells which of them was handled."""
    assert back.placed_at is not None
    assert lost.placed_at is not None
    assert back.placed_at <= lost.placed_at
    return lost.model_copy(update={"placed_at": back.placed_at})


def _check_ends(world: World, cancelled: set[str]) -> None:
    rows = world.rows()
    for order_id in {event.subject for event in world.archive if isinstance(event, OrderPlaced)}:
        events = [event for event in world.archive if event.subject == order_id]
        ended = {event.id: ending for event in events if (ending := _ended(event))}
        assert list(ended.values()) == [rows[order_id].status]
        refused = {event.data.status for event in events if isinstance(event, CancellationRefused)}
        assert refused <= {rows[order_id].status}
        assert order_id not in cancelled or rows[order_id].status == "cancelled"


def test_an_outcome_without_its_acceptance() -> None:
    """Half of the row is not in any fact, so the order is named instead of being rebuilt wrongly."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    placed = placed_order(ORDERS[0], at)
    data = {"order_id": ORDERS[0], "customer_id": "ada", "priority": "normal", "total_cents": 320, "currency": "EUR"}
    completed = OrderCompleted.model_validate(
        {
            "id": event_id_for("orderboard.order.completed.v1", ORDERS[0], placed.data.digest),
            "source": "orderboard.worker",
            "subject": ORDERS[0],
            "time": at + timedelta(seconds=1),
            "data": data,
        }
    )

    alone, both = Facts.of([completed]), Facts.of([completed, placed])

    assert (list(alone.rows()), alone.incomplete()) == ([], [ORDERS[0]])
    assert ([row.status for row in both.rows()], both.incomplete()) == (["completed"], [])


def test_the_order_that_was_too_late_to_cancel() -> None:
    """Of two requests under one key, the one that lost is not the order whose cancellation was refused."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    lost, made = placed_order(ORDERS[0], at), placed_order(ORDERS[0], at + timedelta(seconds=1), quantity=2)
    row = record_of(made, set(), RecordingContext(at + timedelta(seconds=2), "worker-1", 1))
    request = cancellation_requested(ORDERS[0], reason=None, at=at + timedelta(seconds=3), trace=TRACE)
    conflict = resolve_existing(lost, record_of(lost, set(), RecordingContext(at, "worker-1", 1)), row)
    refusal = resolve_cancellation(request, row)
    assert isinstance(conflict, Emit)
    assert isinstance(refusal, Emit)

    facts = Facts.of([lost, made, request, conflict.event, refusal.event])

    assert list(facts.rows()) == [rebuilt(row)]

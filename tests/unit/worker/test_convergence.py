"""Promises 1 and 3 under any interleaving: several workers, crashes between any two effects, every message redelivered.

Each delivery is a coroutine that this test steps by hand, one effect at a time, in the order that hypothesis chooses.
"""

import asyncio
import uuid
from collections.abc import Coroutine, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from orderboard_aws_client.backoff import Backoff
from orderboard_contracts.events import (
    CancellationRefused,
    Command,
    OrderCancelled,
    OrderPlaced,
    OrderRejected,
    OutcomeEvent,
)
from orderboard_contracts.record import OrderRecord
from unit.worker.commands import cancellation, message, placed
from unit.worker.fakes import MemoryBus, MemoryOrders
from worker.circuit_breaker import CircuitBreaker
from worker.failures import RowChangedError
from worker.handlers import Handlers, ProcessingSettings
from worker.health import Health
from worker.message import Message
from worker.order import outcome_of


class _Turn:
    """An awaitable that returns control to the test."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class _SteppedOrders(MemoryOrders):
    """Orders that return control to the test before and after each effect."""

    async def insert(self, record: OrderRecord) -> bool:
        await _Turn()
        result = await super().insert(record)
        await _Turn()
        return result

    async def get(self, order_id: str) -> OrderRecord:
        await _Turn()
        result = await super().get(order_id)
        await _Turn()
        return result

    async def replace_tombstone(self, record: OrderRecord) -> None:
        await _Turn()
        await super().replace_tombstone(record)
        await _Turn()


class _SteppedBus(MemoryBus):
    """A bus that rejects events of orders whose row is not final."""

    def __init__(self, orders: MemoryOrders) -> None:
        super().__init__()
        self._orders = orders

    async def emit(self, event: OutcomeEvent) -> None:
        await _Turn()
        assert self._orders.rows[event.subject].status != "cancellation_pending", "emitted before it was written"
        await super().emit(event)
        await _Turn()


class _System:
    """Workers, one table, one bus, and commands that are redelivered."""

    def __init__(self, commands: list[Command]) -> None:
        self.orders = _SteppedOrders()
        self.bus = _SteppedBus(self.orders)
        self._commands = commands
        self._unfinished = set(range(len(commands)))
        self._under_way: list[tuple[list[int], Coroutine[Any, Any, None]]] = []
        self._clock = datetime(2026, 3, 2, 8, tzinfo=UTC)
        self._deliveries = 0

    def deliver(self, index: int) -> None:
        """Let another worker, with a later clock, start to handle the command; 3 delivers all of them together."""
        self._deliveries += 1
        processing = ProcessingSettings(f"worker-{self._deliveries}", 0, frozenset(), allow_faults=False)
        breaker = CircuitBreaker(Backoff(1, 1), Health())
        handlers = Handlers(self.orders, self.bus, processing, breaker, now=self._tick)
        indices = [index] if index < len(self._commands) else list(range(len(self._commands)))
        received = [message(self._commands[each].to_json(), receive_count=self._deliveries) for each in indices]
        self._under_way.append((indices, _handled(handlers, received)))

    def _tick(self) -> datetime:
        self._clock += timedelta(milliseconds=7)
        return self._clock

    def step(self, choice: int) -> None:
        """Run one delivery to its next effect; delete it on success, redeliver it on failure."""
        if not self._under_way:
            return
        indices, work = self._under_way[choice % len(self._under_way)]
        try:
            work.send(None)
        except StopIteration:
            self._unfinished.difference_update(indices)
        except RowChangedError:
            pass
        else:
            return
        self._under_way.remove((indices, work))

    def crash(self, choice: int) -> None:
        """Kill the worker of one delivery."""
        if self._under_way:
            _, work = self._under_way.pop(choice % len(self._under_way))
            work.close()

    def finish(self, order: list[int]) -> None:
        """Redeliver every command that was not deleted, until none is left."""
        while self._under_way:
            self.step(0)
        while self._unfinished:
            for index in order:
                if index in self._unfinished:
                    self.deliver(index)
            while self._under_way:
                self.step(len(self._under_way) - 1)


async def _handled(handlers: Handlers, messages: list[Message]) -> None:
    """Handle messages as the consumer does: first together, then the others alone."""
    outcomes = await handlers.handle_new_orders(messages)
    for each, outcome in zip(messages, outcomes, strict=True):
        if outcome is None:
            await handlers.handle(each)


_actions = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(0, 3)),
        st.tuples(st.just("step"), st.integers(0, 7)),
        st.tuples(st.just("step"), st.integers(0, 7)),
        st.tuples(st.just("crash"), st.integers(0, 7)),
    ),
    max_size=60,
)


async def _play(system: _System, actions: list[tuple[str, int]], order: list[int]) -> None:
    for action, choice in actions:
        getattr(system, action)(choice)
    system.finish(order)


@settings(max_examples=600, deadline=None)
@given(actions=_actions, order=st.permutations(range(3)))
def test_any_interleaving_ends_in_one_legal_final_state(actions: list[tuple[str, int]], order: list[int]) -> None:
    """A placement, another under the same id, and a cancellation: one wins for good, and all events agree.

    It takes seconds: 600 interleavings.
    """
    order_id = str(uuid.UUID(int=7))
    first, second = placed(order_id), placed(order_id, quantity=2)
    system = _System([first, second, cancellation(order_id)])

    asyncio.run(_play(system, actions, order))

    _the_row_was_final_once(system)
    _the_outcomes_agree(system, order_id, [first, second])


def _the_row_was_final_once(system: _System) -> None:
    statuses = [record.status for record in system.orders.written]
    assert statuses in (["completed"], ["cancellation_pending", "cancelled"]), statuses


def _the_outcomes_agree(system: _System, order_id: str, placements: list[OrderPlaced]) -> None:
    row = system.orders.rows[order_id]
    emitted = {event.id: event for event in system.bus.emitted}
    loser = next(placement for placement in placements if placement.data.digest != row.digest)

    assert all(emitted[event.id] == event for event in system.bus.emitted), "one id, two contents"
    assert emitted[outcome_of(row).id] == outcome_of(row)
    conflicts = [event for event in emitted.values() if isinstance(event, OrderRejected)]
    assert [event.data.reason for event in conflicts] == ["idempotency_conflict"]
    assert row.digest in {placement.data.digest for placement in placements} - {loser.data.digest}
    refusals = [event for event in emitted.values() if isinstance(event, CancellationRefused)]
    cancelled = [event for event in emitted.values() if isinstance(event, OrderCancelled)]
    assert (len(cancelled), len(refusals)) == ((1, 0) if row.status == "cancelled" else (0, 1))
    assert len(emitted) == (3 if row.status == "completed" else 2)


@settings(max_examples=200, deadline=None)
@given(actions=_actions)
def test_a_placement_alone_is_made_exactly_once(actions: list[tuple[str, int]]) -> None:
    """For any redeliveries and crashes there is one write and one outcome."""
    order = placed(str(uuid.UUID(int=8)))
    system = _System([order, order, order])

    asyncio.run(_play(system, actions, [0, 1, 2]))

    assert [record.status for record in system.orders.written] == ["completed"]
    assert {event.id for event in system.bus.emitted} == {outcome_of(system.orders.rows[order.subject]).id}
    assert len({event.to_json() for event in system.bus.emitted}) == 1

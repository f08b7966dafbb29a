"""Handling of commands: write the row, then emit the outcome event.

A handler that dies between the two effects is completed by the next delivery: the row exists, and the outcome event is
derived from the row. `handle_new_orders` relies on that too: it makes what needs nothing special, many orders at once,
and leaves every other message, and every failure, to `handle`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from orderboard_contracts.events import (
    CancellationRequested,
    Command,
    Event,
    NotAnEvent,
    OrderPlaced,
    parse_event,
)
from orderboard_contracts.record import OrderRecord
from orderboard_contracts.trace_carrier import Carried

from worker.circuit_breaker import CircuitBreaker
from worker.failures import PoisonError
from worker.faults import apply_fault
from worker.message import Message
from worker.order import (
    AwaitOrder,
    Emit,
    RecordingContext,
    ReplaceTombstone,
    outcome_of,
    record_of,
    resolve_cancellation,
    resolve_existing,
    tombstone_of,
)
from worker.orders_table import Orders
from worker.outcomes import Outcomes

log = logging.getLogger(__name__)
Traced = TypeVar("Traced", bound=Event)


@dataclass(frozen=True)
class ProcessingSettings:
    """Settings for the preparation of orders."""

    worker_id: str
    preparation_s: float
    sold_out: Set[str]
    allow_faults: bool


@dataclass(frozen=True)
class Handlers:
    """Parses messages, dispatches them by event type, and returns the outcome as a word for metrics and logs."""

    orders: Orders
    outcomes: Outcomes
    processing: ProcessingSettings
    breaker: CircuitBreaker
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def handle_new_orders(self, messages: Sequence[Message]) -> list[str | None]:
        """Make the new orders among messages together. None: not done, or not for sure; call handle for this one."""
        outcomes: list[str | None] = [None] * len(messages)
        if self.processing.preparation_s or not self.breaker.closed:
            return outcomes
        attempted_at = asyncio.get_running_loop().time()
        new = [(index, placed) for index, message in enumerate(messages) if (placed := _undisturbed(message))]
        wanted = [record_of(placed, self.processing.sold_out, self._context(messages[index])) for index, placed in new]
        written = await self.orders.insert_many(wanted)
        made = [(*each, record) for each, record, done in zip(new, wanted, written, strict=True) if done]
        emitted = await self.outcomes.emit_many([outcome_of(record) for _, _, record in made])
        for (index, placed, record), done in zip(made, emitted, strict=True):
            if done:
                outcomes[index] = record.status
                _log_outcome(record.status, messages[index], placed)
        if any(outcomes):
            self.breaker.succeeded(attempted_at)
        return outcomes

    async def handle(self, message: Message) -> str:
        """Apply every effect of the message. Idempotent.

        Raises PoisonError, NotAnEvent, TransientError or UnavailableError.
        """
        event = _traced(parse_event(message.body), message)
        match event:
            case OrderPlaced():
                await self._prepare(event, message)
                outcome = await self.breaker.run(lambda: self._record(event, message))
            case CancellationRequested():
                outcome = await self.breaker.run(lambda: self._cancel(event, message))
            case _:
                raise PoisonError(f"{event.type} is not a command: it belongs on the bus, not on this queue")
        _log_outcome(outcome, message, event)
        return outcome

    async def _prepare(self, placed: OrderPlaced, message: Message) -> None:
        if self.processing.preparation_s:
            await asyncio.sleep(self.processing.preparation_s)
        if placed.data.fault is None:
            return
        if not self.processing.allow_faults:
            log.warning("fault.ignored", extra={**message.log_fields, "fault": placed.data.fault})
            return
        await apply_fault(placed.data.fault, message.receive_count)

    async def _record(self, placed: OrderPlaced, message: Message) -> str:
        wanted = record_of(placed, self.processing.sold_out, self._context(message))
        if await self.orders.insert(wanted):
            await self.outcomes.emit(outcome_of(wanted))
            return wanted.status
        existing = await self._existing(wanted.order_id, message)
        match resolve_existing(placed, wanted, existing):
            case Emit(event, outcome):
                await self.outcomes.emit(_traced(event, message))
                return outcome
            case ReplaceTombstone(record):
                await self.orders.replace_tombstone(record)
                await self.outcomes.emit(outcome_of(record))
                return record.status

    async def _cancel(self, request: CancellationRequested, message: Message) -> str:
        tombstone = tombstone_of(request, self._context(message))
        if await self.orders.insert(tombstone):
            return tombstone.status
        match resolve_cancellation(request, await self._existing(tombstone.order_id, message)):
            case Emit(event, outcome):
                await self.outcomes.emit(_traced(event, message))
                return outcome
            case AwaitOrder():
                return tombstone.status

    async def _existing(self, order_id: str, message: Message) -> OrderRecord:
        existing = await self.orders.get(order_id)
        if message.processing is not None:  # another request of the order, with another trace, may have written it
            message.processing.link(existing)
        return existing

    def _context(self, message: Message) -> RecordingContext:
        return RecordingContext(self.now(), self.processing.worker_id, message.receive_count)


def _undisturbed(message: Message) -> OrderPlaced | None:
    """Return the message's order if it is one, and carries no fault."""
    try:
        event = parse_event(message.body)
    except NotAnEvent:
        return None
    return _traced(event, message) if isinstance(event, OrderPlaced) and event.data.fault is None else None


def _traced(event: Traced, message: Message) -> Traced:
    """Let the event carry the span of this delivery, if traces are on: the row and what is emitted derive from it."""
    return event if message.processing is None else message.processing.adopt(event)


def _log_outcome(outcome: str, message: Message, command: Command) -> None:
    carried = Carried(command.traceparent, command.tracestate, command.subject, command.correlationid)
    log.info("order.%s", outcome, extra=message.fields_with(carried) | {"event_id": command.id})

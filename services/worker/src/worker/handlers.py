"""Handling of one command: write the row, then emit the outcome event.

Handlers raise PoisonError, TransientError or UnavailableError. A handler that dies between the two effects is completed
by the next delivery: the row exists, and the outcome event is derived from the row.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from orderboard_contracts.events import CancellationRequested, OrderPlaced, OutcomeEvent, parse_event

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

log = logging.getLogger(__name__)


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
    emit: Callable[[OutcomeEvent], Awaitable[None]]
    processing: ProcessingSettings
    breaker: CircuitBreaker
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def handle(self, message: Message) -> str:
        """Apply every effect of the message. Idempotent. Also raises NotAnEvent."""
        event = parse_event(message.body)
        match event:
            case OrderPlaced():
                await self._prepare(event, message)
                outcome = await self.breaker.run(lambda: self._record(event, message))
            case CancellationRequested():
                outcome = await self.breaker.run(lambda: self._cancel(event, message))
            case _:
                raise PoisonError(f"{event.type} is not a command: it belongs on the bus, not on this queue")
        log.info(
            "order.%s",
            outcome,
            extra={
                **message.log_fields,
                "order_id": event.subject,
                "event_id": event.id,
                "correlation_id": event.correlationid,
            },
        )
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
            await self.emit(outcome_of(wanted))
            return wanted.status
        match resolve_existing(placed, wanted, await self.orders.get(wanted.order_id)):
            case Emit(event, outcome):
                await self.emit(event)
                return outcome
            case ReplaceTombstone(record):
                await self.orders.replace_tombstone(record)
                await self.emit(outcome_of(record))
                return record.status

    async def _cancel(self, request: CancellationRequested, message: Message) -> str:
        tombstone = tombstone_of(request, self._context(message))
        if await self.orders.insert(tombstone):
            return tombstone.status
        match resolve_cancellation(request, await self.orders.get(tombstone.order_id)):
            case Emit(event, outcome):
                await self.emit(event)
                return outcome
            case AwaitOrder():
                return tombstone.status

    def _context(self, message: Message) -> RecordingContext:
        return RecordingContext(self.now(), self.processing.worker_id, message.receive_count)

"""What is done for each command; Handlers.handle says which handler. Order of effects: row, then outcome.

Handlers raise PoisonError, TransientError or UnavailableError. A handler that dies between two effects heals when the
message comes again: the row is there, and the outcome is made from the row.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from orderboard_contracts.events import CancellationRequested, OrderPlaced, OutcomeEvent, parse_event

from worker.brake import Brake
from worker.failures import PoisonError
from worker.faults import act_out
from worker.message import Message
from worker.order import (
    AwaitOrder,
    Circumstances,
    Emit,
    ReplaceTombstone,
    outcome_of,
    record_of,
    settle_cancellation,
    settle_placement,
    tombstone_of,
)
from worker.orders_table import Orders

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kitchen:
    """How orders are prepared here."""

    worker_id: str
    preparation_s: float
    sold_out: Set[str]
    allow_faults: bool


class Handlers:
    """Handles messages: reads the event, finds its handler, and says in a word how it ended."""

    def __init__(
        self,
        orders: Orders,
        emit: Callable[[OutcomeEvent], Awaitable[None]],
        kitchen: Kitchen,
        brake: Brake,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._orders = orders
        self._emit = emit
        self._kitchen = kitchen
        self._brake = brake
        self._now = now

    async def handle(self, message: Message) -> str:
        """Do all that the message asks, once or again; raises NotAnEvent too."""
        event = parse_event(message.body)
        match event:
            case OrderPlaced():
                outcome = await self._placed(event, message)
            case CancellationRequested():
                outcome = await self._cancellation_requested(event, message)
            case _:
                raise PoisonError(f"{event.type} is no command: it belongs on the bus, not on this queue")
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

    async def _placed(self, placed: OrderPlaced, message: Message) -> str:
        await self._prepare(placed, message)
        return await self._brake.through(lambda: self._record(placed, message))

    async def _prepare(self, placed: OrderPlaced, message: Message) -> None:
        if self._kitchen.preparation_s:
            await asyncio.sleep(self._kitchen.preparation_s)
        if placed.data.fault is None:
            return
        if not self._kitchen.allow_faults:
            log.warning("fault.ignored", extra={**message.log_fields, "fault": placed.data.fault})
            return
        await act_out(placed.data.fault, message.receive_count)

    async def _record(self, placed: OrderPlaced, message: Message) -> str:
        wanted = record_of(placed, self._kitchen.sold_out, self._circumstances(message))
        if await self._orders.insert(wanted):
            await self._emit(outcome_of(wanted))
            return wanted.status
        match settle_placement(placed, wanted, await self._orders.get(wanted.order_id)):
            case Emit(event, outcome):
                await self._emit(event)
                return outcome
            case ReplaceTombstone(record):
                await self._orders.replace_tombstone(record)
                await self._emit(outcome_of(record))
                return record.status

    async def _cancellation_requested(self, request: CancellationRequested, message: Message) -> str:
        return await self._brake.through(lambda: self._cancel(request, message))

    async def _cancel(self, request: CancellationRequested, message: Message) -> str:
        tombstone = tombstone_of(request, self._circumstances(message))
        if await self._orders.insert(tombstone):
            return tombstone.status
        match settle_cancellation(request, await self._orders.get(tombstone.order_id)):
            case Emit(event, outcome):
                await self._emit(event)
                return outcome
            case AwaitOrder():
                return tombstone.status

    def _circumstances(self, message: Message) -> Circumstances:
        return Circumstances(self._now(), self._kitchen.worker_id, message.receive_count)

"""The rows that follow from the facts on the bus. Pure: facts may come twice and in any order.

A final row is an accepted order (OrderPlaced) with its outcome, so both together are the row. An outcome names the
request that it belongs to: its id derives from the digest. No order is made again: no message is handled, and no event
is published.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from orderboard_contracts.events import (
    CancellationRefused,
    CancellationRequested,
    Command,
    Event,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderRejected,
)
from orderboard_contracts.identity import event_id_for
from orderboard_contracts.record import OrderRecord

Ended = OrderCompleted | OrderRejected | OrderCancelled
# As the worker's: a tombstone outlives any order that may still arrive.
_TOMBSTONE_LIFE: Final = timedelta(days=30)
_OF_ORDER: Final = (*("order_id", "customer_id", "priority", "lines", "total_cents", "currency", "note", "digest"),)
_REJECTED: Final[str] = OrderRejected.model_fields["type"].default


@dataclass
class _OfOrder:
    """The facts of one order, each once."""

    placed: dict[str, OrderPlaced] = field(default_factory=dict)  # by digest, the earliest
    ended: dict[str, Ended] = field(default_factory=dict)  # by event id
    conflicts: set[str] = field(default_factory=set)  # event ids
    cancellation: CancellationRequested | None = None
    refusal: CancellationRefused | None = None


@dataclass
class Facts:
    """The facts of all orders."""

    count: int = 0
    _orders: dict[str, _OfOrder] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Facts":
        """Return the facts of these events."""
        facts = cls()
        for event in events:
            facts.add(event)
        return facts

    def add(self, event: Event) -> None:
        """Add an event."""
        self.count += 1
        order = self._orders.setdefault(event.subject, _OfOrder())
        match event:
            case OrderPlaced():
                known = order.placed.setdefault(event.data.digest, event)
                order.placed[event.data.digest] = min(known, event, key=lambda each: each.time)
            case CancellationRequested():
                order.cancellation = min(order.cancellation or event, event, key=lambda each: each.time)
            case CancellationRefused():
                order.refusal = event
            case OrderRejected(data=data) if data.reason == "idempotency_conflict":
                order.conflicts.add(event.id)
            case OrderCompleted() | OrderRejected() | OrderCancelled():
                order.ended[event.id] = event

    def rows(self) -> Iterator[OrderRecord]:
        """Iterate over the rows of the orders that ended, and the tombstones of cancellations without an order."""
        for order_id, order in self._orders.items():
            if (row := _row(order_id, order)) is not None:
                yield row

    def unfinished(self) -> Iterator[Command]:
        """Iterate over the commands without an outcome: their messages are in a queue, or lost."""
        for order in self._orders.values():
            if not order.ended:
                yield from order.placed.values()
                if order.cancellation is not None and order.refusal is None:
                    yield order.cancellation

    def incomplete(self) -> list[str]:
        """Return the ids of orders that ended without a fact of their acceptance: their rows cannot be rebuilt."""
        return [
            order_id
            for order_id, order in self._orders.items()
            if (order.ended or order.refusal) and _row(order_id, order) is None
        ]


def _row(order_id: str, order: _OfOrder) -> OrderRecord | None:
    for ended in order.ended.values():
        for placed in order.placed.values():
            if ended.id == event_id_for(ended.type, order_id, placed.data.digest):
                return _final(placed, ended)
    if order.ended:
        return None
    if order.refusal is not None:
        return _refused(order_id, order, order.refusal)
    return None if order.cancellation is None else _tombstone(order.cancellation)


def _final(placed: OrderPlaced, ended: Ended | CancellationRefused) -> OrderRecord:
    traced: OrderPlaced | Ended = placed
    reasons: dict[str, object] = {}
    match ended:
        case OrderCompleted():
            status, traced = "completed", ended
        case OrderRejected(data=data):
            status, traced = "rejected", ended
            reasons = {"rejection_reason": data.reason, "rejection_detail": data.detail}
        case OrderCancelled(data=data):
            status, traced = "cancelled", ended
            reasons = {"cancel_reason": data.reason}
        case CancellationRefused(data=data):
            status = data.status
            if status == "rejected":
                reasons = {"rejection_reason": "sold_out", "rejection_detail": "Sold out."}
    order = {name: getattr(placed.data, name) for name in _OF_ORDER}
    times = {"recorded_at": ended.time, "placed_at": placed.time}
    trace = {"traceparent": traced.traceparent, "correlationid": traced.correlationid}
    return OrderRecord.model_validate({"status": status, **order, **times, **reasons, **trace})


def _refused(order_id: str, order: _OfOrder, refusal: CancellationRefused) -> OrderRecord | None:
    """Return the row of an order whose only outcome on the bus is that it was too late to cancel it.

    Its worker died between the row and the outcome, and the cancellation met the row. A request that lost a conflict is
    not the one that was recorded.
    """
    first = sorted(order.placed.values(), key=lambda each: each.time)
    for placed in first:
        if event_id_for(_REJECTED, order_id, placed.data.digest) not in order.conflicts:
            return _final(placed, refusal)
    return None


def _tombstone(request: CancellationRequested) -> OrderRecord:
    return OrderRecord(
        order_id=request.subject,
        status="cancellation_pending",
        recorded_at=request.time,
        cancel_reason=request.data.reason,
        expires_at=int((request.time + _TOMBSTONE_LIFE).timestamp()),
    )

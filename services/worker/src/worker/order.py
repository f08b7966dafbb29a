"""The life cycle of an order: the row that a command creates, and what follows when a row already exists.

Pure functions. A final row never changes, and every outcome event is derived from the row, so a command that is handled
again produces the same event with the same id.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from orderboard_contracts.events import (
    CancellationRefused,
    CancellationRequested,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderRejected,
    OutcomeEvent,
)
from orderboard_contracts.identity import event_id_for
from orderboard_contracts.record import OrderRecord

Outcome = TypeVar("Outcome", OrderCompleted, OrderRejected, OrderCancelled, CancellationRefused)

# A tombstone must outlive any order that may still arrive. Queues keep a message for 14 days at most, and a redrive
# from the dead-letter queue may start that period once more.
TOMBSTONE_LIFE: Final = timedelta(days=30)


@dataclass(frozen=True)
class Emit:
    """The row is final and stays as it is: emit this event."""

    event: OutcomeEvent
    outcome: str


@dataclass(frozen=True)
class ReplaceTombstone:
    """The cancellation arrived first: replace its tombstone with this row."""

    record: OrderRecord


@dataclass(frozen=True)
class AwaitOrder:
    """The tombstone exists and the order has not arrived: there is nothing to emit yet."""


@dataclass(frozen=True)
class RecordingContext:
    """The time of recording, the worker that records, and the receive count of the message."""

    recorded_at: datetime
    worker_id: str
    receive_count: int


def record_of(placed: OrderPlaced, sold_out: Set[str], context: RecordingContext) -> OrderRecord:
    """Build the row of an order that has none yet: completed, or rejected if a SKU is sold out."""
    order = placed.data
    missing = sorted({line.sku for line in order.lines} & sold_out)
    return OrderRecord(
        order_id=order.order_id,
        customer_id=order.customer_id,
        priority=order.priority,
        lines=order.lines,
        total_cents=order.total_cents,
        currency=order.currency,
        note=order.note,
        digest=order.digest,
        status="rejected" if missing else "completed",
        recorded_at=context.recorded_at,
        placed_at=placed.time,
        rejection_reason="sold_out" if missing else None,
        rejection_detail=f"Sold out today: {', '.join(missing)}." if missing else None,
        worker_id=context.worker_id,
        receive_count=context.receive_count,
        traceparent=placed.traceparent,
        tracestate=placed.tracestate,
        correlationid=placed.correlationid,
    )


def tombstone_of(request: CancellationRequested, context: RecordingContext) -> OrderRecord:
    """Build the row that waits for an order whose cancellation arrived first."""
    return OrderRecord(
        order_id=request.data.order_id,
        status="cancellation_pending",
        recorded_at=context.recorded_at,
        cancel_reason=request.data.reason,
        expires_at=int((context.recorded_at + TOMBSTONE_LIFE).timestamp()),
    )


def resolve_existing(placed: OrderPlaced, wanted: OrderRecord, existing: OrderRecord) -> Emit | ReplaceTombstone:
    """Resolve a placed order whose row already exists; wanted is the row it would have created."""
    if existing.status == "cancellation_pending":
        cancelled = {"status": "cancelled", "cancel_reason": existing.cancel_reason}
        accepted = {"rejection_reason": None, "rejection_detail": None}
        return ReplaceTombstone(wanted.model_copy(update=cancelled | accepted))
    if existing.digest == placed.data.digest:
        return Emit(outcome_of(existing), existing.status)
    return Emit(_conflict(placed, existing), "conflict")


def _conflict(placed: OrderPlaced, existing: OrderRecord) -> OrderRejected:
    """The same order id with other contents: the first order stands. The id of this event carries the second digest."""
    data: dict[str, object] = {
        "order_id": placed.data.order_id,
        "customer_id": placed.data.customer_id,
        "reason": "idempotency_conflict",
        "detail": "This Idempotency-Key was used before, for another order. The first one stays as it is.",
    }
    return _event(OrderRejected, data, existing, origin=placed, discriminator=placed.data.digest)


def resolve_cancellation(request: CancellationRequested, existing: OrderRecord) -> Emit | AwaitOrder:
    """Resolve a cancellation whose order already has a row."""
    match existing.status:
        case "cancellation_pending":
            return AwaitOrder()
        case "cancelled":
            return Emit(outcome_of(existing), "cancelled")
        case "completed" | "rejected" as status:
            detail = f"The order was {status} before this came."
            data: dict[str, object] = {"order_id": existing.order_id, "status": status, "detail": detail}
            refused = _event(CancellationRefused, data, existing, origin=request, discriminator=request.id)
            return Emit(refused, "cancellation_refused")


def outcome_of(record: OrderRecord) -> OutcomeEvent:
    """Build the outcome event of a final row: always the same event for the same row."""
    customer: dict[str, object] = {"order_id": record.order_id, "customer_id": record.customer_id}
    digest = record.digest or ""
    match record.status:
        case "completed":
            price = {"total_cents": record.total_cents, "currency": record.currency}
            data = customer | price | {"priority": record.priority}
            return _event(OrderCompleted, data, record, origin=record, discriminator=digest)
        case "rejected":
            data = customer | {"reason": record.rejection_reason, "detail": record.rejection_detail}
            return _event(OrderRejected, data, record, origin=record, discriminator=digest)
        case "cancelled":
            data = customer | {"reason": record.cancel_reason}
            return _event(OrderCancelled, data, record, origin=record, discriminator=digest)
        case "cancellation_pending":
            raise ValueError(f"order {record.order_id} has no outcome yet")


def _event(
    event_class: type[Outcome],
    data: dict[str, object],
    record: OrderRecord,
    *,
    origin: OrderRecord | OrderPlaced | CancellationRequested,
    discriminator: str,
) -> Outcome:
    """Build an event about a row; its trace is that of origin, and discriminator tells apart events of one type."""
    return event_class.model_validate(
        {
            "id": event_id_for(event_class.model_fields["type"].default, record.order_id, discriminator),
            "source": "orderboard.worker",
            "subject": record.order_id,
            "time": record.recorded_at,
            "traceparent": origin.traceparent,
            "tracestate": origin.tracestate,
            "correlationid": origin.correlationid,
            "data": data,
        }
    )

"""The life of an order, purely: what to record of a command, and what follows from what is recorded already.

Nothing here waits or writes. The row never changes once it is final, and every outcome event is made from the row,
so a command handled again gives the same event again, with the same id.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orderboard_contracts.events import (
    CancellationRefused,
    CancellationRefusedData,
    CancellationRequested,
    CancelledData,
    CompletedData,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderRejected,
    OutcomeEvent,
    RejectedData,
)
from orderboard_contracts.identity import event_id_for
from orderboard_contracts.record import OrderRecord

# A tombstone must outlive any order it waits for. Queues keep a message 14 days at most, and a redrive from the
# dead-letter queue may start these anew once.
TOMBSTONE_LIFE: Final = timedelta(days=30)


@dataclass(frozen=True)
class Emit:
    """The row is final and stays as it is: tell this."""

    event: OutcomeEvent
    outcome: str


@dataclass(frozen=True)
class ReplaceTombstone:
    """A cancellation came first: write this row in the tombstone's place."""

    record: OrderRecord


@dataclass(frozen=True)
class AwaitOrder:
    """The tombstone is there already, the order is not: nothing to tell yet."""


@dataclass(frozen=True)
class Circumstances:
    """When and by whom a row is written."""

    recorded_at: datetime
    worker_id: str
    receive_count: int


def record_of(placed: OrderPlaced, sold_out: Set[str], circumstances: Circumstances) -> OrderRecord:
    """The row of an order that nothing else was heard of: completed, or rejected for what is sold out."""
    data = placed.data
    missing = sorted({line.sku for line in data.lines} & sold_out)
    return OrderRecord(
        order_id=data.order_id,
        status="rejected" if missing else "completed",
        recorded_at=circumstances.recorded_at,
        customer_id=data.customer_id,
        priority=data.priority,
        lines=data.lines,
        total_cents=data.total_cents,
        currency=data.currency,
        note=data.note,
        digest=data.digest,
        placed_at=placed.time,
        rejection_reason="sold_out" if missing else None,
        rejection_detail=f"Sold out today: {', '.join(missing)}." if missing else None,
        worker_id=circumstances.worker_id,
        receive_count=circumstances.receive_count,
        traceparent=placed.traceparent,
        correlationid=placed.correlationid,
    )


def tombstone_of(request: CancellationRequested, circumstances: Circumstances) -> OrderRecord:
    """The row that waits for an order which its cancellation overtook."""
    return OrderRecord(
        order_id=request.data.order_id,
        status="cancellation_pending",
        recorded_at=circumstances.recorded_at,
        cancel_reason=request.data.reason,
        expires_at=int((circumstances.recorded_at + TOMBSTONE_LIFE).timestamp()),
    )


def settle_placement(placed: OrderPlaced, wanted: OrderRecord, existing: OrderRecord) -> Emit | ReplaceTombstone:
    """What follows when the row of a placed order is there already; wanted is what we would have written."""
    if existing.status == "cancellation_pending":
        return ReplaceTombstone(
            wanted.model_copy(
                update={
                    "status": "cancelled",
                    "cancel_reason": existing.cancel_reason,
                    "rejection_reason": None,
                    "rejection_detail": None,
                }
            )
        )
    if existing.digest == placed.data.digest:
        return Emit(outcome_of(existing), existing.status)
    return Emit(_conflict(placed, existing), "conflict")


def settle_cancellation(request: CancellationRequested, existing: OrderRecord) -> Emit | AwaitOrder:
    """What follows when a cancellation finds a row."""
    match existing.status:
        case "cancellation_pending":
            return AwaitOrder()
        case "cancelled":
            return Emit(outcome_of(existing), "cancelled")
        case "completed" | "rejected" as status:
            data = CancellationRefusedData(
                order_id=existing.order_id, status=status, detail=f"The order was {status} before this came."
            )
            event_type = CancellationRefused.model_fields["type"].default
            refused = CancellationRefused(
                id=event_id_for(event_type, existing.order_id, request.id),
                source="orderboard.worker",
                subject=existing.order_id,
                time=existing.recorded_at,
                traceparent=request.traceparent,
                correlationid=request.correlationid,
                data=data,
            )
            return Emit(refused, "cancellation_refused")


def outcome_of(record: OrderRecord) -> OutcomeEvent:
    """The one event that a final row stands for: always the same for the same row."""
    match record.status:
        case "completed":
            return _from_row(record, OrderCompleted, CompletedData.model_validate(record, from_attributes=True))
        case "rejected":
            rejected = RejectedData.model_validate(
                {
                    "order_id": record.order_id,
                    "customer_id": record.customer_id,
                    "reason": record.rejection_reason,
                    "detail": record.rejection_detail,
                }
            )
            return _from_row(record, OrderRejected, rejected)
        case "cancelled":
            cancelled = CancelledData.model_validate(
                {"order_id": record.order_id, "customer_id": record.customer_id, "reason": record.cancel_reason}
            )
            return _from_row(record, OrderCancelled, cancelled)
        case "cancellation_pending":
            raise ValueError(f"order {record.order_id} has no outcome yet")


def _from_row(
    record: OrderRecord,
    event_class: type[OrderCompleted] | type[OrderRejected] | type[OrderCancelled],
    data: CompletedData | RejectedData | CancelledData,
) -> OutcomeEvent:
    return event_class.model_validate(
        {
            "id": event_id_for(event_class.model_fields["type"].default, record.order_id, record.digest or ""),
            "source": "orderboard.worker",
            "subject": record.order_id,
            "time": record.recorded_at,
            "traceparent": record.traceparent,
            "correlationid": record.correlationid,
            "data": data,
        }
    )


def _conflict(placed: OrderPlaced, existing: OrderRecord) -> OrderRejected:
    """The same order id with other contents: the first stays, and the second is told so. Its id carries its digest."""
    event_type = OrderRejected.model_fields["type"].default
    return OrderRejected(
        id=event_id_for(event_type, placed.data.order_id, placed.data.digest),
        source="orderboard.worker",
        subject=placed.data.order_id,
        time=existing.recorded_at,
        traceparent=placed.traceparent,
        correlationid=placed.correlationid,
        data=RejectedData(
            order_id=placed.data.order_id,
            customer_id=placed.data.customer_id,
            reason="idempotency_conflict",
            detail="This Idempotency-Key was used before, for another order. The first one stays as it is.",
        ),
    )

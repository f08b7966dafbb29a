"""Commands as order-api publishes them."""

import uuid
from datetime import UTC, datetime
from typing import Final

from orderboard_contracts.events import CancellationRequested, CancellationRequestedData, OrderPlaced, PlacedData
from orderboard_contracts.identity import event_id_for
from orderboard_contracts.order import OrderLine, OrderRequest, Priority, digest, priced, total_cents
from worker.message import Message

ACCEPTED_AT: Final = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def placed(
    order_id: str | None = None,
    *,
    sku: str = "flat-white",
    quantity: int = 1,
    priority: Priority = "normal",
    fault: str | None = None,
    note: str | None = None,
) -> OrderPlaced:
    """An accepted order; other contents give another digest."""
    order_id = order_id or str(uuid.uuid4())
    request = OrderRequest(
        customer_id="ada",
        lines=(OrderLine(sku=sku, quantity=quantity),),
        priority=priority,
        fault=fault,
        note=note,
    )
    lines = priced(request)
    return OrderPlaced(
        id=event_id_for("orderboard.order.placed.v1", order_id, digest(request)),
        source="orderboard.order-api",
        subject=order_id,
        time=ACCEPTED_AT,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        correlationid="rush-1",
        data=PlacedData(
            order_id=order_id,
            customer_id=request.customer_id,
            priority=priority,
            lines=lines,
            total_cents=total_cents(lines),
            currency="EUR",
            note=note,
            digest=digest(request),
            fault=fault,
        ),
    )


def cancellation(order_id: str, reason: str | None = "changed my mind") -> CancellationRequested:
    """An accepted cancellation."""
    return CancellationRequested(
        id=event_id_for("orderboard.order.cancellation_requested.v1", order_id),
        source="orderboard.order-api",
        subject=order_id,
        time=ACCEPTED_AT,
        correlationid="rush-2",
        data=CancellationRequestedData(order_id=order_id, reason=reason),
    )


def message(body: str, *, receive_count: int = 1, queue: str = "work", received_at: float = 0.0) -> Message:
    """A received message."""
    return Message(
        queue=queue,
        message_id=str(uuid.uuid4()),
        receipt_handle=str(uuid.uuid4()),
        body=body,
        receive_count=receive_count,
        received_at=received_at,
    )

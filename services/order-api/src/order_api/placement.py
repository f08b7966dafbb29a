"""Commands built from requests. Pure: time and trace are arguments."""

from datetime import datetime

from orderboard_contracts.events import CancellationRequested, CancellationRequestedData, OrderPlaced, PlacedData
from orderboard_contracts.identity import event_id_for
from orderboard_contracts.menu import CURRENCY
from orderboard_contracts.order import Note, OrderRequest, priced, total_cents
from pydantic import BaseModel, ConfigDict, Field

from order_api.trace import Trace

_PLACED = "orderboard.order.placed.v1"
_CANCELLATION_REQUESTED = "orderboard.order.cancellation_requested.v1"


class CancellationRequest(BaseModel):
    """The body of a cancellation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reason: Note | None = Field(default=None, description="The reason, for people.", examples=["changed my mind"])


def order_placed(order: OrderRequest, *, order_id: str, digest: str, at: datetime, trace: Trace) -> OrderPlaced:
    """Build the command to make an order. Its id derives from the order id and the digest."""
    lines = priced(order)
    return OrderPlaced(
        id=event_id_for(_PLACED, order_id, digest),
        source="orderboard.order-api",
        subject=order_id,
        time=at,
        traceparent=trace.traceparent,
        tracestate=trace.tracestate,
        correlationid=trace.correlation_id,
        data=PlacedData(
            order_id=order_id,
            customer_id=order.customer_id,
            priority=order.priority,
            lines=lines,
            total_cents=total_cents(lines),
            currency=CURRENCY,
            note=order.note,
            digest=digest,
            fault=order.fault,
        ),
    )


def cancellation_requested(order_id: str, *, reason: str | None, at: datetime, trace: Trace) -> CancellationRequested:
    """Build the cancellation command. There is one per order: its id derives from the order id."""
    return CancellationRequested(
        id=event_id_for(_CANCELLATION_REQUESTED, order_id),
        source="orderboard.order-api",
        subject=order_id,
        time=at,
        traceparent=trace.traceparent,
        tracestate=trace.tracestate,
        correlationid=trace.correlation_id,
        data=CancellationRequestedData(order_id=order_id, reason=reason),
    )

"""One event of each kind, as the other services make them."""

from datetime import UTC, datetime
from typing import Any, Literal

from orderboard_contracts.events import (
    CancellationRefused,
    CancellationRefusedData,
    CancellationRequested,
    CancellationRequestedData,
    CancelledData,
    CompletedData,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderRejected,
    PlacedData,
    RejectedData,
)
from orderboard_contracts.order import PricedLine

ORDER_ID = "3f2a1b9c-0000-4000-8000-000000000001"
EVENT_ID = "0e0f6f3c-0000-5000-8000-000000000002"
TIME = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
_ENVELOPE: dict[str, Any] = {"id": EVENT_ID, "subject": ORDER_ID, "time": TIME, "correlationid": "corr-1"}


def placed(customer_id: str = "ada") -> OrderPlaced:
    """An order of 12 catering boxes."""
    return OrderPlaced(
        **_ENVELOPE,
        source="orderboard.order-api",
        data=PlacedData(
            order_id=ORDER_ID,
            customer_id=customer_id,
            priority="normal",
            lines=(PricedLine(sku="catering-box", quantity=12, unit_price_cents=8900),),
            total_cents=106_800,
            currency="EUR",
            digest="0" * 64,
        ),
    )


def cancellation_requested() -> CancellationRequested:
    """A cancellation on its way to the worker."""
    return CancellationRequested(
        **_ENVELOPE, source="orderboard.order-api", data=CancellationRequestedData(order_id=ORDER_ID)
    )


def completed(priority: Literal["normal", "express"] = "express", event_id: str = EVENT_ID) -> OrderCompleted:
    """An order that was made."""
    return OrderCompleted(
        **_ENVELOPE | {"id": event_id},
        source="orderboard.worker",
        data=CompletedData(order_id=ORDER_ID, customer_id="ada", priority=priority, total_cents=390, currency="EUR"),
    )


def rejected(
    reason: Literal["sold_out", "idempotency_conflict"] = "sold_out", detail: str = "cinnamon-bun is sold out"
) -> OrderRejected:
    """An order that will not be made."""
    return OrderRejected(
        **_ENVELOPE,
        source="orderboard.worker",
        data=RejectedData(order_id=ORDER_ID, customer_id="ada", reason=reason, detail=detail),
    )


def cancelled() -> OrderCancelled:
    """An order that was cancelled in time."""
    return OrderCancelled(
        **_ENVELOPE, source="orderboard.worker", data=CancelledData(order_id=ORDER_ID, customer_id="ada")
    )


def cancellation_refused() -> CancellationRefused:
    """A cancellation that came too late."""
    return CancellationRefused(
        **_ENVELOPE,
        source="orderboard.worker",
        data=CancellationRefusedData(order_id=ORDER_ID, status="completed", detail="the order is made"),
    )

"""One event of each kind, as the other services create them."""

from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from orderboard_contracts.events import (
    CancellationRefused,
    CancellationRequested,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderRejected,
)

ORDER_ID = "3f2a1b9c-0000-4000-8000-000000000001"
EVENT_ID = "0e0f6f3c-0000-5000-8000-000000000002"
TIME = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
AnyEvent = TypeVar(
    "AnyEvent",
    OrderPlaced,
    CancellationRequested,
    OrderCompleted,
    OrderRejected,
    OrderCancelled,
    CancellationRefused,
)


def _event(event_class: type[AnyEvent], event_id: str = EVENT_ID, **data: Any) -> AnyEvent:
    commands = (OrderPlaced, CancellationRequested)
    return event_class(
        id=event_id,
        source="orderboard.order-api" if event_class in commands else "orderboard.worker",
        subject=ORDER_ID,
        time=TIME,
        correlationid="corr-1",
        data={"order_id": ORDER_ID, **data},
    )


def placed(customer_id: str = "ada") -> OrderPlaced:
    """An order of 12 catering boxes."""
    line = {"sku": "catering-box", "quantity": 12, "unit_price_cents": 8900}
    price: dict[str, Any] = {"lines": (line,), "total_cents": 106_800, "currency": "EUR"}
    return _event(OrderPlaced, customer_id=customer_id, priority="normal", digest="0" * 64, **price)


def cancellation_requested() -> CancellationRequested:
    """A cancellation on its way to the worker."""
    return _event(CancellationRequested)


def completed(priority: Literal["normal", "express"] = "express", event_id: str = EVENT_ID) -> OrderCompleted:
    """An order that was completed."""
    return _event(OrderCompleted, event_id, customer_id="ada", priority=priority, total_cents=390, currency="EUR")


def rejected(
    reason: Literal["sold_out", "idempotency_conflict"] = "sold_out", detail: str = "cinnamon-bun is sold out"
) -> OrderRejected:
    """An order that was rejected."""
    return _event(OrderRejected, customer_id="ada", reason=reason, detail=detail)


def cancelled() -> OrderCancelled:
    """An order that was cancelled in time."""
    return _event(OrderCancelled, customer_id="ada")


def cancellation_refused() -> CancellationRefused:
    """A cancellation that came too late."""
    return _event(CancellationRefused, status="completed", detail="the order is made")

"""Events as the services publish them."""

from datetime import UTC, datetime
from typing import Any

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
from orderboard_contracts.identity import new_order_id
from orderboard_contracts.order import PricedLine, Priority


def envelope(source: str) -> dict[str, Any]:
    """The fields that all events of one source have."""
    return {"id": new_order_id(), "source": source, "subject": new_order_id(), "time": datetime.now(UTC)}


def placed(priority: Priority = "normal", total_cents: int = 240) -> OrderPlaced:
    """An order as order-api publishes it."""
    about = envelope("orderboard.order-api")
    lines = (PricedLine(sku="espresso", quantity=1, unit_price_cents=total_cents),)
    return OrderPlaced(
        **about,
        data=PlacedData(
            order_id=about["subject"],
            customer_id="ada",
            priority=priority,
            lines=lines,
            total_cents=total_cents,
            currency="EUR",
            digest="d",
        ),
    )


def cancellation() -> CancellationRequested:
    """A cancellation as order-api publishes it."""
    about = envelope("orderboard.order-api")
    return CancellationRequested(**about, data=CancellationRequestedData(order_id=about["subject"]))


def completed(priority: Priority) -> OrderCompleted:
    """An outcome of the worker."""
    about = envelope("orderboard.worker")
    return OrderCompleted(
        **about,
        data=CompletedData(
            order_id=about["subject"], customer_id="ada", priority=priority, total_cents=240, currency="EUR"
        ),
    )


def rejected() -> OrderRejected:
    """An outcome of the worker."""
    about = envelope("orderboard.worker")
    data = RejectedData(order_id=about["subject"], customer_id="ada", reason="sold_out", detail="No tea.")
    return OrderRejected(**about, data=data)


def cancelled() -> OrderCancelled:
    """An outcome of the worker."""
    about = envelope("orderboard.worker")
    return OrderCancelled(**about, data=CancelledData(order_id=about["subject"], customer_id="ada"))


def refused() -> CancellationRefused:
    """An outcome of the worker."""
    about = envelope("orderboard.worker")
    data = CancellationRefusedData(order_id=about["subject"], status="completed", detail="It is made.")
    return CancellationRefused(**about, data=data)

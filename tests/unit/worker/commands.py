"""Commands as order-api publishes them, and messages as the worker receives them."""

import uuid
from datetime import UTC, datetime
from typing import Final

from order_api.placement import cancellation_requested, order_placed
from order_api.trace import Trace
from orderboard_contracts.events import CancellationRequested, OrderPlaced
from orderboard_contracts.order import OrderLine, OrderRequest, Priority, digest
from worker.message import Message

ACCEPTED_AT: Final = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
TRACE: Final = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "rush-1")


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
    lines = (OrderLine(sku=sku, quantity=quantity),)
    request = OrderRequest(customer_id="ada", lines=lines, priority=priority, fault=fault, note=note)
    order_id = order_id or str(uuid.uuid4())
    return order_placed(request, order_id=order_id, digest=digest(request), at=ACCEPTED_AT, trace=TRACE)


def orders(count: int, fault: str | None = None) -> list[str]:
    """Bodies of so many orders."""
    return [placed(fault=fault).to_json() for _ in range(count)]


def cancellation(order_id: str, reason: str | None = "changed my mind") -> CancellationRequested:
    """An accepted cancellation."""
    return cancellation_requested(order_id, reason=reason, at=ACCEPTED_AT, trace=TRACE)


def message(body: str, *, receive_count: int = 1, queue: str = "work", received_at: float = 0.0) -> Message:
    """A received message."""
    return Message(queue, str(uuid.uuid4()), str(uuid.uuid4()), body, receive_count, received_at)

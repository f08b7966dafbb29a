"""Rows of the orders table as a worker writes them."""

from datetime import datetime

from orderboard_contracts.order import PricedLine
from orderboard_contracts.record import OrderRecord


def completed(order_id: str, customer_id: str, placed_at: datetime) -> OrderRecord:
    """Build the row of a completed order: two teas at 3.20 EUR."""
    return OrderRecord(
        order_id=order_id,
        status="completed",
        customer_id=customer_id,
        priority="normal",
        lines=(PricedLine(sku="tea", quantity=2, unit_price_cents=320),),
        total_cents=640,
        currency="EUR",
        placed_at=placed_at,
        recorded_at=placed_at,
    )

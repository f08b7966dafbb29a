"""The row of an order as a first attempt writes it: some text attributes. Needs no other package."""

from typing import Any


def plain_row(event: dict[str, Any]) -> dict[str, Any]:
    """Return the DynamoDB item of an order.placed event."""
    data = event["data"]
    row = {"order_id": data["order_id"], "status": "completed", "customer_id": data["customer_id"]}
    row |= {"placed_at": event["time"], "note": data["note"], "digest": data["digest"]}
    row |= {"traceparent": event["traceparent"]}
    return {name: {"S": value} for name, value in row.items()}

"""Values that several tests of the rig use."""

from dataclasses import fields

from orderboard_contracts.events import CancellationRequested, CancellationRequestedData
from orderboard_contracts.identity import new_order_id
from orderboard_stack.outputs import StackOutputs

OUTPUTS = StackOutputs(**{each.name: f"shop-{each.name}" for each in fields(StackOutputs)})


def a_cancellation(order_id: str | None = None) -> str:
    """The event that asks for the cancellation of an order, as JSON."""
    order_id = order_id or new_order_id()
    return CancellationRequested(
        id="event-1",
        source="orderboard.order-api",
        subject=order_id,
        time="2026-01-01T00:00:00Z",
        data=CancellationRequestedData(order_id=order_id),
    ).to_json()

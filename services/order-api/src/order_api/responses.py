"""Bodies of successful responses."""

from typing import Final, Literal, Self

from orderboard_contracts.events import PlacedData
from orderboard_contracts.identity import OrderId
from orderboard_contracts.menu import CURRENCY, Currency, MenuItem
from orderboard_contracts.order import PricedLine
from orderboard_contracts.record import FinalStatus, OrderRecord
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EXAMPLE_ID: Final = "1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11"


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderLinks(_Response):
    """Links to the order and its actions."""

    order: str = Field(description="The order, once it is recorded.", examples=[f"/orders/{EXAMPLE_ID}"])
    cancellation: str = Field(description="POST here to cancel.", examples=[f"/orders/{EXAMPLE_ID}/cancellation"])

    @classmethod
    def of(cls, order_id: str) -> Self:
        """Build the links of this order."""
        return cls(order=f"/orders/{order_id}", cancellation=f"/orders/{order_id}/cancellation")


class OrderAccepted(_Response):
    """SNS and EventBridge have both accepted the order."""

    order_id: OrderId = Field(examples=[EXAMPLE_ID])
    status: Literal["accepted"] = "accepted"
    total_cents: int = Field(ge=0, description="The total at today's prices, in cents.", examples=[780])
    currency: Currency = CURRENCY
    links: OrderLinks


# Every response to an order is the same but for two values.
_ACCEPTED: Final = (
    OrderAccepted(order_id=EXAMPLE_ID, total_cents=0, links=OrderLinks.of(EXAMPLE_ID))
    .model_dump_json()
    .replace("{", "{{")
    .replace("}", "}}")
    .replace(EXAMPLE_ID, "{order_id}")
    .replace('"total_cents":0', '"total_cents":{total_cents}')
)


def accepted_json(placed: PlacedData) -> bytes:
    """Return the body of the response to this order: an OrderAccepted."""
    return _ACCEPTED.format(order_id=placed.order_id, total_cents=placed.total_cents).encode()


class CancellationAccepted(_Response):
    """The cancellation request was accepted. The order's final status shows whether it came in time."""

    order_id: OrderId = Field(examples=[EXAMPLE_ID])
    status: Literal["cancellation_requested"] = "cancellation_requested"
    links: OrderLinks

    @classmethod
    def of(cls, order_id: str) -> Self:
        """Build the response to a cancellation of this order."""
        return cls(order_id=order_id, links=OrderLinks.of(order_id))


class OrderView(_Response):
    """An order in its final state, as the worker recorded it."""

    order_id: OrderId = Field(examples=[EXAMPLE_ID])
    status: FinalStatus
    customer_id: str | None = None
    priority: str | None = None
    lines: tuple[PricedLine, ...] = ()
    total_cents: int | None = None
    currency: str | None = None
    note: str | None = None
    placed_at: AwareDatetime | None = Field(default=None, description="Time of acceptance by the API.")
    recorded_at: AwareDatetime = Field(description="Time of recording by the worker.")
    rejection_reason: str | None = None
    rejection_detail: str | None = None
    cancel_reason: str | None = None
    worker_id: str | None = Field(default=None, description="The worker that recorded it.")
    receive_count: int | None = Field(default=None, description="Receives of its message up to that time.")
    digest: str | None = Field(default=None, description="SHA-256 of the order request.")
    traceparent: str | None = None
    correlationid: str | None = None

    @classmethod
    def of(cls, record: OrderRecord) -> Self:
        """Build the view of this row."""
        return cls.model_validate(record.model_dump(exclude={"expires_at", "tracestate"}))


class OrderPage(_Response):
    """One page of a customer's orders, newest first."""

    orders: tuple[OrderView, ...]
    next_cursor: str | None = Field(default=None, description="Cursor of the next page; absent on the last page.")


class Menu(_Response):
    """The items that can be ordered."""

    items: tuple[MenuItem, ...]

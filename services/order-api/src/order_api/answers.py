"""What the API answers when all is well. The first two follow from the request alone: any process says the same."""

from typing import Literal, Self

from orderboard_contracts.events import PlacedData
from orderboard_contracts.identity import OrderId
from orderboard_contracts.menu import CURRENCY, Currency, MenuItem
from orderboard_contracts.order import PricedLine
from orderboard_contracts.record import FinalStatus, OrderRecord
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_EXAMPLE_ID = "1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderLinks(_Answer):
    """Where to go from here."""

    order: str = Field(description="The order, once it is recorded.", examples=[f"/orders/{_EXAMPLE_ID}"])
    cancellation: str = Field(description="POST here to cancel.", examples=[f"/orders/{_EXAMPLE_ID}/cancellation"])

    @classmethod
    def of(cls, order_id: str) -> Self:
        """The links of this order."""
        return cls(order=f"/orders/{order_id}", cancellation=f"/orders/{order_id}/cancellation")


class OrderAccepted(_Answer):
    """The order is on its way: SNS and EventBridge both have it."""

    order_id: OrderId = Field(examples=[_EXAMPLE_ID])
    status: Literal["accepted"] = "accepted"
    total_cents: int = Field(ge=0, description="What it costs at today's prices, in cents.", examples=[780])
    currency: Currency = CURRENCY
    links: OrderLinks

    @classmethod
    def of(cls, placed: PlacedData) -> Self:
        """The answer to this order."""
        return cls(order_id=placed.order_id, total_cents=placed.total_cents, links=OrderLinks.of(placed.order_id))


class CancellationAccepted(_Answer):
    """The wish to cancel is on its way. Whether it comes in time, the order itself will say."""

    order_id: OrderId = Field(examples=[_EXAMPLE_ID])
    status: Literal["cancellation_requested"] = "cancellation_requested"
    links: OrderLinks

    @classmethod
    def of(cls, order_id: str) -> Self:
        """The answer to a cancellation of this order."""
        return cls(order_id=order_id, links=OrderLinks.of(order_id))


class OrderView(_Answer):
    """An order in its final state, as the worker recorded it."""

    order_id: OrderId = Field(examples=[_EXAMPLE_ID])
    status: FinalStatus
    customer_id: str | None = None
    priority: str | None = None
    lines: tuple[PricedLine, ...] = ()
    total_cents: int | None = None
    currency: str | None = None
    note: str | None = None
    placed_at: AwareDatetime | None = Field(default=None, description="When the API accepted it.")
    recorded_at: AwareDatetime = Field(description="When the worker recorded it.")
    rejection_reason: str | None = None
    rejection_detail: str | None = None
    cancel_reason: str | None = None
    worker_id: str | None = Field(default=None, description="Which worker recorded it.")
    receive_count: int | None = Field(default=None, description="How often its message had been received by then.")
    digest: str | None = Field(default=None, description="SHA-256 of the request it stands for.")
    traceparent: str | None = None
    correlationid: str | None = None

    @classmethod
    def of(cls, record: OrderRecord) -> Self:
        """This row as its reader sees it."""
        return cls.model_validate(record.model_dump(exclude={"expires_at"}))


class OrderPage(_Answer):
    """Some of a customer's orders, the newest first."""

    orders: tuple[OrderView, ...]
    next_cursor: str | None = Field(default=None, description="Ask again with it for older orders; absent at the end.")


class Menu(_Answer):
    """What can be ordered."""

    items: tuple[MenuItem, ...]

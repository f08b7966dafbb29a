"""A row of the orders table. The worker writes it; order-api and the rig read it."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from orderboard_contracts.identity import OrderId
from orderboard_contracts.order import PricedLine

FinalStatus = Literal["completed", "rejected", "cancelled"]
Status = FinalStatus | Literal["cancellation_pending"]
FINAL_STATUSES: Final[frozenset[str]] = frozenset(("completed", "rejected", "cancelled"))


class OrderRecord(BaseModel):
    """A final state or, with status `cancellation_pending`, the tombstone of a cancellation that overtook its order.

    A tombstone has only order_id, status, cancel_reason, recorded_at and expires_at. Without a customer_id it is not in
    the customer index.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: OrderId
    status: Status
    recorded_at: AwareDatetime = Field(description="The time of the write.")
    customer_id: str | None = None
    priority: str | None = None
    lines: tuple[PricedLine, ...] = ()
    total_cents: int | None = None
    currency: str | None = None
    note: str | None = None
    digest: str | None = None
    placed_at: AwareDatetime | None = Field(default=None, description="The time of acceptance by order-api.")
    rejection_reason: str | None = None
    rejection_detail: str | None = None
    cancel_reason: str | None = None
    worker_id: str | None = Field(default=None, description="The worker that wrote it.")
    receive_count: int | None = Field(default=None, description="The receive count of the message.")
    traceparent: str | None = None
    tracestate: str | None = None
    correlationid: str | None = None
    expires_at: int | None = Field(default=None, description="DynamoDB TTL, seconds since 1970.")


def parse_record(row: Mapping[str, object]) -> OrderRecord:
    """Parse a row of plain values; unknown attributes are ignored. Raises pydantic's ValidationError."""
    return OrderRecord.model_validate(row, extra="ignore")

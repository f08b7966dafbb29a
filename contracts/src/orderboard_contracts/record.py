"""One row of the orders table, as the worker writes it and order-api and the rig read it."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from orderboard_contracts.identity import OrderId
from orderboard_contracts.order import PricedLine

FinalStatus = Literal["completed", "rejected", "cancelled"]
Status = FinalStatus | Literal["cancellation_pending"]
FINAL_STATUSES: Final[frozenset[str]] = frozenset(("completed", "rejected", "cancelled"))


class OrderRecord(BaseModel):
    """A final state, or (status `cancellation_pending`) the tombstone of a cancellation that overtook its order.

    The tombstone has order_id, status, cancel_reason, recorded_at and expires_at only; with no customer_id it stays
    out of the customer index.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: OrderId
    status: Status
    recorded_at: AwareDatetime = Field(description="When the worker wrote it.")
    customer_id: str | None = None
    priority: str | None = None
    lines: tuple[PricedLine, ...] = ()
    total_cents: int | None = None
    currency: str | None = None
    note: str | None = None
    digest: str | None = None
    placed_at: AwareDatetime | None = Field(default=None, description="When order-api accepted it.")
    rejection_reason: str | None = None
    rejection_detail: str | None = None
    cancel_reason: str | None = None
    worker_id: str | None = Field(default=None, description="Which worker wrote it.")
    receive_count: int | None = Field(default=None, description="How often the message had been received by then.")
    traceparent: str | None = None
    correlationid: str | None = None
    expires_at: int | None = Field(default=None, description="DynamoDB TTL, seconds since 1970.")


def parse_record(row: Mapping[str, object]) -> OrderRecord:
    """Read a row of the table as plain values; attributes that a newer writer added are ignored.

    Raises pydantic's ValidationError when it is no order's row.
    """
    return OrderRecord.model_validate(row, extra="ignore")

"""The events of an order. A change adds a field; a breaking change adds a `.v2` beside the `.v1`."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orderboard_contracts.envelope import Envelope
from orderboard_contracts.identity import OrderId
from orderboard_contracts.injected_fault import FaultText
from orderboard_contracts.menu import Currency
from orderboard_contracts.order import PricedLine, Priority
from orderboard_contracts.untrusted_text import first_error

RejectionReason = Literal["sold_out", "idempotency_conflict"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: OrderId


class PlacedData(_Data):
    """An accepted order with its prices at that time."""

    customer_id: str
    priority: Priority
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total_cents: int = Field(ge=0, description="The price of the order, in cents.")
    currency: Currency
    note: str | None = None
    digest: str = Field(description="SHA-256 of the request's canonical JSON; a repeat has the same one.")
    fault: FaultText | None = Field(default=None, description="A fault to inject, for experiments.")


class CancellationRequestedData(_Data):
    """A request to cancel an order."""

    reason: str | None = None


class CompletedData(_Data):
    """An order that was made."""

    customer_id: str
    priority: Priority
    total_cents: int
    currency: Currency


class RejectedData(_Data):
    """An order that will not be made, or a second order with the same id."""

    customer_id: str
    reason: RejectionReason
    detail: str = Field(description="The reason as a sentence for people.")


class CancelledData(_Data):
    """An order that was cancelled before it was made."""

    customer_id: str
    reason: str | None = None


class CancellationRefusedData(_Data):
    """A cancellation that arrived too late."""

    status: Literal["completed", "rejected"] = Field(description="The final state of the order.")
    detail: str


class OrderPlaced(Envelope[PlacedData]):
    """Published by order-api: an order was accepted."""

    type: Literal["orderboard.order.placed.v1"] = "orderboard.order.placed.v1"


class CancellationRequested(Envelope[CancellationRequestedData]):
    """Published by order-api: a cancellation was accepted. The worker decides if it is in time."""

    type: Literal["orderboard.order.cancellation_requested.v1"] = "orderboard.order.cancellation_requested.v1"


class OrderCompleted(Envelope[CompletedData]):
    """Published by worker: the order was made."""

    type: Literal["orderboard.order.completed.v1"] = "orderboard.order.completed.v1"


class OrderRejected(Envelope[RejectedData]):
    """Published by worker: the order was rejected. `idempotency_conflict` does not change the first order."""

    type: Literal["orderboard.order.rejected.v1"] = "orderboard.order.rejected.v1"


class OrderCancelled(Envelope[CancelledData]):
    """Published by worker: the order was cancelled before it was made."""

    type: Literal["orderboard.order.cancelled.v1"] = "orderboard.order.cancelled.v1"


class CancellationRefused(Envelope[CancellationRefusedData]):
    """Published by worker: the order keeps its final state."""

    type: Literal["orderboard.order.cancellation_refused.v1"] = "orderboard.order.cancellation_refused.v1"


Command = OrderPlaced | CancellationRequested
OutcomeEvent = OrderCompleted | OrderRejected | OrderCancelled | CancellationRefused
Event = Command | OutcomeEvent

EVENT_CLASSES: Final[Mapping[str, type[Event]]] = {
    event_class.model_fields["type"].default: event_class
    for event_class in (
        OrderPlaced,
        CancellationRequested,
        OrderCompleted,
        OrderRejected,
        OrderCancelled,
        CancellationRefused,
    )
}

_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


class NotAnEvent(ValueError):  # noqa: N818 - a message that is not an event is not an error of the reader
    """Text that is not an event of a known version. The message names the invalid part. Retrying does not help."""


def parse_event(document: str | bytes | Mapping[str, object]) -> Event:
    """Parse an event from JSON text or from a parsed document. Raises NotAnEvent for anything else.

    Ignores unknown fields at every depth, for compatibility with newer writers. Constructors and model_validate create
    events: for them an unknown field is an error.
    """
    try:
        if isinstance(document, str | bytes):
            return _event.validate_json(document, extra="ignore")
        return _event.validate_python(document, extra="ignore")
    except ValidationError as exc:
        raise NotAnEvent(first_error(exc)) from exc

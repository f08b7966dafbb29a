"""The events: what can be said of an order. A change adds a field; a breaking change adds a `.v2` beside the `.v1`."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orderboard_contracts.envelope import Envelope
from orderboard_contracts.fault import FaultText
from orderboard_contracts.identity import OrderId
from orderboard_contracts.menu import Currency
from orderboard_contracts.order import PricedLine, Priority
from orderboard_contracts.text import first_fault

RejectionReason = Literal["sold_out", "idempotency_conflict"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: OrderId


class PlacedData(_Data):
    """An order as it was accepted, with the prices it was accepted at."""

    customer_id: str
    priority: Priority
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total_cents: int = Field(ge=0, description="What the order costs, in cents.")
    currency: Currency
    note: str | None = None
    digest: str = Field(description="SHA-256 of the request's canonical JSON: tells a repeat from another order.")
    fault: FaultText | None = Field(default=None, description="For experiments; see the worker's faults.")


class CancellationRequestedData(_Data):
    """Somebody asks that an order be not made."""

    reason: str | None = None


class CompletedData(_Data):
    """The order was made."""

    customer_id: str
    priority: Priority
    total_cents: int
    currency: Currency


class RejectedData(_Data):
    """The order, or this version of it, will not be made."""

    customer_id: str
    reason: RejectionReason
    detail: str = Field(description="The reason in a sentence for people.")


class CancelledData(_Data):
    """The order was cancelled before it was made."""

    customer_id: str
    reason: str | None = None


class CancellationRefusedData(_Data):
    """The cancellation came too late."""

    status: Literal["completed", "rejected"] = Field(description="The final state that the order already has.")
    detail: str


class OrderPlaced(Envelope[PlacedData]):
    """order-api: an order was accepted."""

    type: Literal["orderboard.order.placed.v1"] = "orderboard.order.placed.v1"


class CancellationRequested(Envelope[CancellationRequestedData]):
    """order-api: a cancellation was accepted for delivery; whether it comes in time, the worker decides."""

    type: Literal["orderboard.order.cancellation_requested.v1"] = "orderboard.order.cancellation_requested.v1"


class OrderCompleted(Envelope[CompletedData]):
    """worker: final."""

    type: Literal["orderboard.order.completed.v1"] = "orderboard.order.completed.v1"


class OrderRejected(Envelope[RejectedData]):
    """worker: final, but for `idempotency_conflict`, which leaves the first order of that id as it is."""

    type: Literal["orderboard.order.rejected.v1"] = "orderboard.order.rejected.v1"


class OrderCancelled(Envelope[CancelledData]):
    """worker: final."""

    type: Literal["orderboard.order.cancelled.v1"] = "orderboard.order.cancelled.v1"


class CancellationRefused(Envelope[CancellationRefusedData]):
    """worker: the order keeps the final state it has."""

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


class NotAnEvent(ValueError):  # noqa: N818 - a message can be one or not; nobody has made an error
    """The text is no event that this version knows; the message says which part is wrong. Retrying cannot help."""


def parse_event(document: str | bytes | Mapping[str, object]) -> Event:
    """Read an event from JSON text or from a parsed document; raise NotAnEvent for anything else.

    Unknown fields are ignored at every depth, so that a newer writer hurts no older reader. Calling a class or its
    model_validate is for making events: there an unknown field is an error.
    """
    try:
        if isinstance(document, str | bytes):
            return _event.validate_json(document, extra="ignore")
        return _event.validate_python(document, extra="ignore")
    except ValidationError as exc:
        raise NotAnEvent(first_fault(exc)) from exc

"""Bodies of the console's POST requests."""

from typing import Annotated, Any, Final, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request

from orderboard.errors import UsageError
from orderboard.system.workers import MAX_WORKERS

MAX_PER_S: Final = 200
MAX_BURST: Final = 2000
_MAX_PREPARATION_MS: Final = 60_000
_MAX_ADVANCE_S: Final = 1_209_600  # the longest that SQS keeps a message
_MAX_LATENCY_MS: Final = 20_000

ConsoleKind = Literal["normal", "express", "large", "duplicate", "cancel", "flaky", "slow", "poison"]  # of orders/kinds
FaultKind = Literal["throttle", "error_before", "error_after", "latency", "drop", "timeout_after"]
FaultAction = Literal[
    "*", "PublishBatch", "PutEvents", "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"
]
DeliveryPreset = Literal["none", "duplicates", "reordering", "missed polls", "all of it"]
_Text = Annotated[str, Field(min_length=1)]


class Body(BaseModel):
    """A JSON object. Values are not converted: "5" is not a number."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


BodyType = TypeVar("BodyType", bound=Body)


async def read_body(request: Request, model: type[BodyType]) -> BodyType:
    """Validate the request's body; raise UsageError with every field that is wrong."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as exc:
        problems = (f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in exc.errors())
        raise UsageError(f"Invalid request: {'; '.join(problems)}.") from exc


class PlaceOrder(Body):
    """One order of a kind. order: the body for POST /orders; generated if it is left out."""

    kind: ConsoleKind
    order: dict[str, Any] | None = None


class Experiment(Body):
    """An experiment of the lab, by its name."""

    name: _Text


class CancelOrder(Body):
    """An order to cancel."""

    order_id: UUID


class Burst(Body):
    """Orders to send as fast as order-api accepts them."""

    count: Annotated[int, Field(ge=1, le=MAX_BURST)]


class Stream(Body):
    """A steady rate of orders; 0 stops it."""

    per_s: Annotated[float, Field(ge=0, le=MAX_PER_S)]


class WorkerAction(Body):
    """A signal for one worker, or its start."""

    name: _Text
    action: Literal["stop", "start", "kill", "freeze", "thaw"]


class Preparation(Body):
    """Extra time that every order takes."""

    milliseconds: Annotated[int, Field(ge=0, le=_MAX_PREPARATION_MS)]


class Scale(Body):
    """The number of workers that run."""

    count: Annotated[int, Field(ge=1, le=MAX_WORKERS)]


class QueueSettings(Body):
    """Settings of the queues work and express. One that is left out is as deployed."""

    visibility_timeout_s: Annotated[int, Field(ge=1, le=43_200)] | None = None
    max_receive_count: Annotated[int, Field(ge=1, le=1000)] | None = None


class Mapping(Body):
    """The notifier's event source mapping: enabled or paused."""

    enabled: bool


class QueueName(Body):
    """A queue by the page's short name, such as work."""

    queue: _Text


class DeliveryFaults(Body):
    """A preset of what standard queues may do to messages."""

    preset: DeliveryPreset


class Fault(Body):
    """A share of an action's calls that fail or are slow. latency_ms: for the kind latency, which needs it."""

    kind: FaultKind
    action: FaultAction
    probability: Annotated[float, Field(ge=0, le=1)]
    latency_ms: Annotated[int, Field(ge=1, le=_MAX_LATENCY_MS)] | None = None

    @model_validator(mode="after")
    def _has_latency(self) -> Self:
        if self.kind == "latency" and self.latency_ms is None:
            raise ValueError("latency needs latency_ms")
        return self


class Faults(Body):
    """The fault to inject into AWS calls, or none."""

    rule: Fault | None = None


class Advance(Body):
    """Seconds by which to advance a manual clock."""

    advance_s: Annotated[float, Field(ge=0, le=_MAX_ADVANCE_S)]


class Event(Body):
    """An event to explain, as the text that the user typed."""

    event: _Text


class Empty(Body):
    """No parameters."""

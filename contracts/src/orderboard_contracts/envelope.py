"""The CloudEvents 1.0 envelope (JSON format) of every event.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from orderboard_contracts.identity import OrderId

Data = TypeVar("Data", bound=BaseModel)

# https://www.w3.org/TR/trace-context/#traceparent-header
Traceparent = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
EventSource = Literal["orderboard.order-api", "orderboard.worker"]


class Envelope(BaseModel, Generic[Data]):
    """An event. Writers may not add unknown fields; events.parse_event ignores them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, description="Derived from the cause: a repeated cause gives the same id.")
    source: EventSource = Field(description="The service that published it.")
    type: str = Field(description="The kind of event, with the version of its data.")
    subject: OrderId = Field(description="The order's id.")
    time: AwareDatetime = Field(description="The time of the event.")
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = Field(default=None, description="W3C trace context of the causing request.")
    tracestate: str | None = Field(default=None, description="W3C trace context, as other systems amended it.")
    correlationid: str | None = Field(default=None, description="Identifies one request in every service.")
    data: Data

    def to_json(self) -> str:
        """Return the document that is published as SNS message body and as EventBridge detail."""
        return self.model_dump_json(exclude_none=True)

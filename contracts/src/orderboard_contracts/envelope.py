"""The CloudEvents 1.0 envelope (JSON format) that every event travels in.

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
    """What every event says of itself.

    Whoever makes an event may not invent fields; events.parse_event, which reads them, ignores what it does not know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, description="Follows from the cause: a cause seen twice gives the same id.")
    source: EventSource = Field(description="Which service says so.")
    type: str = Field(description="What happened, with the version of its data.")
    subject: OrderId = Field(description="The order's id.")
    time: AwareDatetime = Field(description="When it happened.")
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: Traceparent | None = Field(default=None, description="W3C trace context of the request behind it.")
    correlationid: str | None = Field(default=None, description="Follows one request through every service.")
    data: Data

    def to_json(self) -> str:
        """The document that is published: SNS message body and EventBridge detail alike."""
        return self.model_dump_json(exclude_none=True)

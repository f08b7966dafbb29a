"""What an SQS message brings: an EventBridge event whose `detail` is one of our events. Reading only."""

from typing import Any

from orderboard_contracts.events import Event, NotAnEvent, parse_event
from orderboard_contracts.untrusted_text import first_error
from pydantic import BaseModel, ConfigDict, ValidationError


class _Delivered(BaseModel):
    """https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"""

    model_config = ConfigDict(extra="ignore")

    detail: dict[str, Any]


def read_event(body: str) -> Event:
    """The event in this message body; raise NotAnEvent, whose message says which part is wrong, for anything else."""
    try:
        delivered = _Delivered.model_validate_json(body)
    except ValidationError as exc:
        raise NotAnEvent(f"no EventBridge event: {first_error(exc)}") from exc
    return parse_event(delivered.detail)

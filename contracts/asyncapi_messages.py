"""The messages of the AsyncAPI document. An event has different forms as a command, on the bus and after a rule."""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from event_schemas import MODELS
from orderboard_contracts.alert import (
    ALERT_TYPE,
    AUDIENCE_ATTRIBUTE,
    KIND_ATTRIBUTE,
    SEVERITY_ATTRIBUTE,
    AlertKind,
    Audience,
    Severity,
)
from orderboard_contracts.order import Priority
from orderboard_contracts.routing import EVENT_TYPE_ATTRIBUTE, PRIORITY_ATTRIBUTE

Message = dict[str, Any]
Form = Callable[[str], Message]

SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_EVENTBRIDGE_MEMBERS: Final = ("version", "id", "account", "time", "region")


def as_command(event_type: str) -> Message:
    """Return the message on the orders topic and its queues: the CloudEvents document, with attributes for filters."""
    attributes = {EVENT_TYPE_ATTRIBUTE: (event_type,), PRIORITY_ATTRIBUTE: get_args(Priority)}
    return _message(event_type, _document(event_type), headers=_attributes(attributes))


def as_fact(event_type: str) -> Message:
    """Return the message on the bus: the CloudEvents document as Detail, with its source and type."""
    return _message(event_type, _document(event_type))


def as_notice(event_type: str) -> Message:
    """Return the message after a rule: EventBridge's envelope with the CloudEvents document as `detail`.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    properties: dict[str, Any] = {name: {"type": "string"} for name in _EVENTBRIDGE_MEMBERS}
    properties |= {
        "source": {"type": "string", "description": "The event's source."},
        "detail-type": {"const": event_type},
        "resources": {"type": "array", "items": {"type": "string"}},
        "detail": _document(event_type),
    }
    wrapped = {"type": "object", "required": ["source", "detail-type", "detail"], "properties": properties}
    return _message(event_type, wrapped)


def as_alert(alert_type: str) -> Message:
    """Return the message on the alerts topic and in the inbox: the alert, with attributes for filter policies."""
    attributes = {
        SEVERITY_ATTRIBUTE: get_args(Severity),
        AUDIENCE_ATTRIBUTE: get_args(Audience),
        KIND_ATTRIBUTE: get_args(AlertKind),
    }
    return _message(alert_type, _document(alert_type), headers=_attributes(attributes))


_SUFFIXES: Final[Mapping[Form, str]] = {as_command: "Command", as_fact: "Fact", as_notice: "Notice", as_alert: ""}


def name_of(document_type: str, form: Form) -> str:
    """Return the name of a type of document in a form."""
    return f"{MODELS[document_type].__name__}{_SUFFIXES[form]}"


def _message(document_type: str, payload: Mapping[str, Any], **members: object) -> Message:
    model = MODELS[document_type]
    return {
        "name": document_type,
        "title": model.__name__,
        "summary": (model.__doc__ or "").splitlines()[0],
        "contentType": "application/json",
        **members,
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": payload},
    }


def _document(document_type: str) -> dict[str, str]:
    return {"$ref": f"./schemas/{document_type}.json"}


def _attributes(values: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(values),
        "properties": {name: {"type": "string", "enum": list(allowed)} for name, allowed in values.items()},
    }


ALERT_TYPES: Final = (ALERT_TYPE,)

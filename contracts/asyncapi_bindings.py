"""Bindings of the AsyncAPI document: topics, queues and rules, read from the template and validated.

A filter policy or pattern with a name that no model has would silently match nothing, so it is an error.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args

from event_schemas import schemas
from orderboard_contracts.envelope import EventSource
from orderboard_contracts.events import Command
from orderboard_contracts.order import Priority
from orderboard_contracts.routing import EVENT_TYPE_ATTRIBUTE, PRIORITY_ATTRIBUTE
from template_file import Resource, Template, TemplateError, policy

COMMAND_TYPES: Final = tuple(command.model_fields["type"].default for command in get_args(Command))
_ATTRIBUTE_VALUES: Final = {EVENT_TYPE_ATTRIBUTE: COMMAND_TYPES, PRIORITY_ATTRIBUTE: get_args(Priority)}
_QUEUE_MEMBERS: Final = {
    "VisibilityTimeout": "visibilityTimeout",
    "ReceiveMessageWaitTimeSeconds": "receiveMessageWaitTime",
    "MessageRetentionPeriod": "messageRetentionPeriod",
}


def of_channel(template: Template, resource: Resource) -> dict[str, Any]:
    """Return the bindings of a channel: an SNS topic, an SQS queue with its dead-letter queue, or none for the bus."""
    if resource.type == "AWS::SNS::Topic":
        return {"bindings": {"sns": {"name": resource.name, "bindingVersion": "0.1.0"}}}
    if resource.type != "AWS::SQS::Queue":
        return {}
    redrive = resource.properties["RedrivePolicy"]
    dlq = template.target(redrive["deadLetterTargetArn"])
    described = _queue(resource) | {
        "redrivePolicy": {"deadLetterQueue": {"name": dlq.name}, "maxReceiveCount": redrive["maxReceiveCount"]}
    }
    return {"bindings": {"sqs": {"queue": described, "deadLetterQueue": _queue(dlq), "bindingVersion": "0.2.0"}}}


def _queue(resource: Resource) -> dict[str, Any]:
    members = {
        ours: resource.properties[theirs] for theirs, ours in _QUEUE_MEMBERS.items() if theirs in resource.properties
    }
    return {"name": resource.name, "fifoQueue": False, **members}


def of_sending(template: Template, resource: Resource) -> dict[str, Any]:
    """Return the bindings of sending to a topic: its unconditional subscriptions. None for the bus."""
    if resource.type != "AWS::SNS::Topic":
        return {}
    found = [_consumer(template, one.properties) for one in template.subscriptions(resource) if one.condition is None]
    return {"bindings": {"sns": {"consumers": found, "bindingVersion": "0.1.0"}}}


def _consumer(template: Template, subscription: Mapping[str, Any]) -> dict[str, Any]:
    undelivered = template.target(subscription["RedrivePolicy"]["deadLetterTargetArn"])
    described = {
        "protocol": subscription["Protocol"],
        "endpoint": {"name": template.target(subscription["Endpoint"]).name},
        "rawMessageDelivery": subscription["RawMessageDelivery"],
        "redrivePolicy": {"deadLetterQueue": {"name": undelivered.name}},
    }
    if "FilterPolicy" in subscription:
        described["filterPolicy"] = policy(subscription["FilterPolicy"])
    return described


def commands_into(template: Template, from_topic: Resource, into: Resource) -> list[str]:
    """Return the types of command that the subscriptions of a queue accept. Raises TemplateError."""
    allowed: list[str] = []
    for subscription in template.subscriptions(from_topic):
        if subscription.condition is None and template.target(subscription.properties["Endpoint"]) == into:
            filters = policy(subscription.properties["FilterPolicy"])
            for attribute, values in filters.items():
                _expect_known(subscription, attribute, values)
            allowed += filters[EVENT_TYPE_ATTRIBUTE]
    if not allowed:
        raise TemplateError(f"no subscription delivers commands from {from_topic.logical_id} to {into.logical_id}")
    return allowed


def _expect_known(subscription: Resource, attribute: str, values: Iterable[str]) -> None:
    known = _ATTRIBUTE_VALUES.get(attribute)
    if known is None:
        raise TemplateError(f"{subscription.logical_id} filters by {attribute}; known: {list(_ATTRIBUTE_VALUES)}")
    if unknown := [value for value in values if value not in known]:
        raise TemplateError(
            f"{subscription.logical_id} filters {attribute} by {unknown}; expected some of {list(known)}"
        )


def rules_into(template: Template, into: Resource) -> list[dict[str, Any]]:
    """Return the names and patterns of the rules that target a queue. Raises TemplateError."""
    found = [
        {"name": rule.properties["Name"], "eventPattern": _valid_pattern(rule)}
        for rule in template.rules(template.bus())
        if any(template.target(target["Arn"]) == into for target in rule.properties["Targets"])
    ]
    if not found:
        raise TemplateError(f"no rule of the bus has the target {into.logical_id}")
    return found


def _valid_pattern(rule: Resource) -> dict[str, Any]:
    pattern = policy(rule.properties["EventPattern"])
    known = schemas()
    if unknown := [source for source in pattern["source"] if source not in get_args(EventSource)]:
        raise TemplateError(f"{rule.logical_id} matches source {unknown}; known: {list(get_args(EventSource))}")
    for event_type in pattern["detail-type"]:
        if event_type not in known:
            raise TemplateError(f"{rule.logical_id} matches {event_type}; known: {list(known)}")
        for path in _paths(pattern.get("detail", {})):
            _expect_field(rule, known[event_type], event_type, path)
    return pattern


def _paths(pattern: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, below in pattern.items():
        if isinstance(below, dict):
            yield from _paths(below, (*above, name))
        else:
            yield (*above, name)


def _expect_field(rule: Resource, schema: Mapping[str, Any], event_type: str, path: tuple[str, ...]) -> None:
    here = schema
    for name in path:
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].removeprefix("#/$defs/")]
        if name not in here.get("properties", {}):
            raise TemplateError(f"{rule.logical_id} matches {'.'.join(path)}, which {event_type} does not have")
        here = here["properties"][name]

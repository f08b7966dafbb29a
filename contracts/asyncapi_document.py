"""The AsyncAPI 3.0 document: channels, operations and messages, from the models and the template.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Iterable
from typing import Any, Final, get_args

import asyncapi_bindings as bindings
from asyncapi_messages import ALERT_TYPES, Form, as_alert, as_command, as_fact, as_notice, name_of
from orderboard_contracts.events import OutcomeEvent
from template_file import Resource, Template

Document = dict[str, Any]

COMMAND_TYPES: Final = bindings.COMMAND_TYPES
OUTCOME_TYPES: Final = tuple(outcome.model_fields["type"].default for outcome in get_args(OutcomeEvent))


class _Writer:
    """Collects channels, operations and their messages, with the bindings of their resources."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._carried: dict[str, tuple[Resource, Iterable[str], Form]] = {}
        self.channels: Document = {}
        self.operations: Document = {}
        self.messages: Document = {}

    def channel(
        self, name: str, resource: Resource, description: str, types: Iterable[str], form: Form, **members: object
    ) -> None:
        """Add a channel with the messages of these types."""
        self._carried[name] = (resource, types, form)
        messages = {name_of(each, form): form(each) for each in types}
        self.messages |= messages
        self.channels[name] = {
            "address": f"{{prefix}}{resource.name.removeprefix(self._template.prefix)}",
            "description": description,
            "parameters": {"prefix": {"$ref": "#/components/parameters/prefix"}},
            "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in messages},
            **bindings.of_channel(self._template, resource),
            **members,
        }

    def operation(self, service: str, action: str, channel: str, types: Iterable[str] | None = None) -> None:
        """Add an operation of a service on a channel, with all its messages or those of some types."""
        resource, all_types, form = self._carried[channel]
        self.operations[f"{service}.{action}.{channel}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "tags": [{"name": service}],
            **(bindings.of_sending(self._template, resource) if action == "send" else {}),
            "messages": [
                {"$ref": f"#/channels/{channel}/messages/{name_of(each, form)}"} for each in types or all_types
            ],
        }


def asyncapi(template: Template, version: str) -> Document:
    """Return the whole document. Raises TemplateError if the template lacks a resource that it describes."""
    writer = _Writer(template)
    _commands(writer, template)
    _facts(writer, template)
    _alerts(writer, template)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Order Board",
            "version": version,
            "description": "An event-driven order pipeline: order-api accepts orders, worker makes them, notifier "
            "publishes alerts. Addresses and policies are those of localstack/template.yaml with default parameters.",
        },
        "defaultContentType": "application/json",
        "channels": writer.channels,
        "operations": writer.operations,
        "components": {
            "parameters": {"prefix": {"description": "The stack's Prefix parameter.", "default": template.prefix}},
            "messages": writer.messages,
        },
    }


def _commands(writer: _Writer, template: Template) -> None:
    topic = template.topic("orders")
    text = "The SNS topic that delivers commands to the queues whose filter policies accept them."
    writer.channel("orders", topic, text, COMMAND_TYPES, as_command)
    writer.operation("order-api", "send", "orders")
    for name, description in (
        ("work", "Commands of normal priority."),
        ("express", "Commands of express priority, and all cancellations."),
    ):
        queue = template.queue(name)
        writer.channel(name, queue, description, bindings.commands_into(template, topic, queue), as_command)
        writer.operation("worker", "receive", name)


def _facts(writer: _Writer, template: Template) -> None:
    text = "The EventBridge bus that routes every event by rules."
    writer.channel("bus", template.bus(), text, (*COMMAND_TYPES, *OUTCOME_TYPES), as_fact)
    writer.operation("order-api", "send", "bus", COMMAND_TYPES)
    writer.operation("worker", "send", "bus", OUTCOME_TYPES)


def _alerts(writer: _Writer, template: Template) -> None:
    queue = template.queue("alerts")
    rules = bindings.rules_into(template, queue)
    types = tuple(dict.fromkeys(each for rule in rules for each in rule["eventPattern"]["detail-type"]))
    text = "Events that the rules of the bus select for the notifier."
    writer.channel("alerts", queue, text, types, as_notice, **{"x-eventbridge-rules": rules})
    writer.operation("notifier", "receive", "alerts")
    text = "The SNS topic for alerts: to the inbox, and optionally to e-mail, text message or webhook."
    writer.channel("announcements", template.topic("alerts"), text, ALERT_TYPES, as_alert)
    writer.operation("notifier", "send", "announcements")
    writer.channel("inbox", template.queue("inbox"), "Every alert.", ALERT_TYPES, as_alert)
    writer.operation("rig", "receive", "inbox")

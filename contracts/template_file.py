"""The resources of localstack/template.yaml that the AsyncAPI document needs: names, queues, subscriptions, rules.

Parameters have their default values. Values that only a deployment has (ARNs, accounts) stay as functions.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from localbus.cloudformation.template.parser import read as parse
from localbus.errors import AwsError

Properties = Mapping[str, Any]

_NAME_PROPERTIES: Final = {
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Events::EventBus": "Name",
}


class TemplateError(Exception):
    """A template that lacks a resource of the AsyncAPI document, or has it in an unexpected form."""


@dataclass(frozen=True)
class Resource:
    """A resource. Its properties are resolved, except for references to other resources."""

    logical_id: str
    type: str
    condition: str | None
    properties: Properties

    @property
    def name(self) -> str:
        """The physical name with the default prefix."""
        return str(self.properties[_NAME_PROPERTIES[self.type]])


class Template:
    """The resources of a CloudFormation template, by physical name and by reference."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._parameters = {
            name: _typed(parameter) for name, parameter in document["Parameters"].items() if "Default" in parameter
        }
        self._resources = {
            logical_id: Resource(
                logical_id, body["Type"], body.get("Condition"), self._resolved(body.get("Properties", {}))
            )
            for logical_id, body in document["Resources"].items()
        }
        self.prefix = str(self._parameters["Prefix"])

    def topic(self, suffix: str) -> Resource:
        """The topic named prefix-suffix."""
        return self._named("AWS::SNS::Topic", f"{self.prefix}-{suffix}")

    def queue(self, suffix: str) -> Resource:
        """The queue named prefix-suffix."""
        return self._named("AWS::SQS::Queue", f"{self.prefix}-{suffix}")

    def bus(self) -> Resource:
        """The event bus, which has the prefix as its name."""
        return self._named("AWS::Events::EventBus", self.prefix)

    def subscriptions(self, topic: Resource) -> list[Resource]:
        """The subscriptions of a topic."""
        return self._referring("AWS::SNS::Subscription", "TopicArn", topic)

    def rules(self, bus: Resource) -> list[Resource]:
        """The rules of the bus."""
        return self._referring("AWS::Events::Rule", "EventBusName", bus)

    def target(self, reference: object) -> Resource:
        """The resource that a Ref, or a GetAtt of an ARN, points to."""
        match reference:
            case {"Ref": str(logical_id)} if logical_id in self._resources:
                return self._resources[logical_id]
            case {"Fn::GetAtt": [str(logical_id), "Arn"]} if logical_id in self._resources:
                return self._resources[logical_id]
            case _:
                raise TemplateError(f"{reference!r} does not refer to a resource of the template")

    def _named(self, resource_type: str, name: str) -> Resource:
        for resource in self._resources.values():
            if resource.type == resource_type and resource.properties.get(_NAME_PROPERTIES[resource_type]) == name:
                return resource
        raise TemplateError(f"no {resource_type} is named {name}, which the AsyncAPI document describes")

    def _referring(self, resource_type: str, member: str, to: Resource) -> list[Resource]:
        found = [
            resource
            for resource in self._resources.values()
            if resource.type == resource_type and self.target(resource.properties[member]) == to
        ]
        if not found:
            raise TemplateError(f"no {resource_type} has {member} {to.logical_id}")
        return found

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)} if name in self._parameters:
                return self._parameters[name]
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{(\w+)\}", lambda match: str(self._parameters.get(match[1], match[0])), text)
            case dict():
                return {key: self._resolved(member) for key, member in value.items()}
            case list():
                return [self._resolved(member) for member in value]
            case _:
                return value


def policy(value: object) -> dict[str, Any]:
    """Return a filter policy or an event pattern, which templates contain as a mapping or as JSON text."""
    document = json.loads(value) if isinstance(value, str) else value
    if not isinstance(document, dict):
        raise TemplateError(f"{value!r} is not a policy; expected a mapping or its JSON text")
    return document


def _typed(parameter: Mapping[str, Any]) -> object:
    return int(parameter["Default"]) if parameter["Type"] == "Number" else parameter["Default"]


def document(path: Path) -> dict[str, Any]:
    """Read a template with its short forms written out. Raises TemplateError for anything but a template."""
    try:
        found = parse(path.read_text())
    except AwsError as exc:
        raise TemplateError(f"{path} has no Parameters and Resources: {exc.message}") from exc
    if not found.get("Parameters") or "Resources" not in found:
        raise TemplateError(f"{path} has no Parameters and Resources")
    return found


def load(path: Path) -> Template:
    """Read a template. Raises TemplateError for anything but a template."""
    return Template(document(path))

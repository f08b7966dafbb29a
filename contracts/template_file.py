"""Reads localstack/template.yaml as far as the AsyncAPI document needs it: names, queues, subscriptions, rules.

Parameters have their default values. What only a deployment knows (ARNs, accounts) is left as CloudFormation writes it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

Properties = Mapping[str, Any]

_NAME_PROPERTIES: Final = {
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Events::EventBus": "Name",
}


class TemplateError(Exception):
    """The template lacks something that the AsyncAPI document describes, or has it in a form that is not understood."""


@dataclass(frozen=True)
class Resource:
    """A resource with its properties resolved, but for references to other resources."""

    logical_id: str
    type: str
    condition: str | None
    properties: Properties

    @property
    def name(self) -> str:
        """The physical name under the default prefix."""
        return str(self.properties[_NAME_PROPERTIES[self.type]])


class Template:
    """The resources of a CloudFormation template, by physical name and by who refers to whom."""

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
        """The event bus, which is named like the prefix."""
        return self._named("AWS::Events::EventBus", self.prefix)

    def subscriptions(self, topic: Resource) -> list[Resource]:
        """Who listens to a topic."""
        return self._referring("AWS::SNS::Subscription", "TopicArn", topic)

    def rules(self, bus: Resource) -> list[Resource]:
        """What the bus passes on."""
        return self._referring("AWS::Events::Rule", "EventBusName", bus)

    def target(self, reference: object) -> Resource:
        """The resource that a Ref, or a GetAtt of an ARN, points to."""
        match reference:
            case {"Ref": str(logical_id)} if logical_id in self._resources:
                return self._resources[logical_id]
            case {"Fn::GetAtt": [str(logical_id), "Arn"]} if logical_id in self._resources:
                return self._resources[logical_id]
            case _:
                raise TemplateError(f"{reference!r} is no reference to a resource of the template")

    def _named(self, resource_type: str, name: str) -> Resource:
        for resource in self._resources.values():
            if resource.type == resource_type and resource.properties.get(_NAME_PROPERTIES[resource_type]) == name:
                return resource
        raise TemplateError(f"no {resource_type} is named {name}; the AsyncAPI document describes it")

    def _referring(self, resource_type: str, member: str, to: Resource) -> list[Resource]:
        found = [
            resource
            for resource in self._resources.values()
            if resource.type == resource_type and self.target(resource.properties[member]) == to
        ]
        if not found:
            raise TemplateError(f"no {resource_type} has {member} {to.logical_id}: nothing leaves it")
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
    """A filter policy or an event pattern, which templates hold as a mapping or as JSON text."""
    document = json.loads(value) if isinstance(value, str) else value
    if not isinstance(document, dict):
        raise TemplateError(f"{value!r} is no policy")
    return document


def _typed(parameter: Mapping[str, Any]) -> object:
    return int(parameter["Default"]) if parameter["Type"] == "Number" else parameter["Default"]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` is {"Ref": x}, `!Sub x` is {"Fn::Sub": x}."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TemplateError(f"line {node.start_mark.line + 1}: !{suffix} of a mapping is no short form")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def document(path: Path) -> dict[str, Any]:
    """Read a template's YAML, short forms written out; raise TemplateError when it is no CloudFormation template."""
    found: dict[str, Any] = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader with short forms
    match found:
        case {"Parameters": dict(), "Resources": dict()}:
            return found
        case _:
            raise TemplateError(f"{path} has no Parameters and Resources")


def load(path: Path) -> Template:
    """Read a template; raise TemplateError when it is no CloudFormation template."""
    return Template(document(path))

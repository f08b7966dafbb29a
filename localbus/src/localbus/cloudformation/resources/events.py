"""AWS::Events::EventBus, AWS::Events::EventBusPolicy and AWS::Events::Rule.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localbus.cloudformation.resources.base import (
    InvalidPropertiesError,
    PhysicalResource,
    Properties,
    ResourceContext,
    ResourceType,
    already_exists,
    coerce,
    tags_of,
    text_of,
)
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_BUS_SETTINGS = ("DeadLetterConfig", "Description", "EventSourceName", "KmsKeyIdentifier", "LogConfig")
# Of the settings that a template no longer has.
_BUS_DEFAULTS: Mapping[str, Any] = {"DeadLetterConfig": {}, "Description": "", "LogConfig": {}}
_DEFAULT_BUS = "default"


class EventBusType(ResourceType):
    """An event bus. Its `Ref` is its name."""

    name = "AWS::Events::EventBus"
    properties = frozenset({*_BUS_SETTINGS, "Name", "Policy", "Tags"})
    required = frozenset({"Name"})
    documents = frozenset({"DeadLetterConfig", "LogConfig", "Policy"})
    create_only = frozenset({"EventSourceName", "Name"})
    attributes = frozenset({"Arn", "Name", "Policy"})
    name_property = "Name"
    takes_tags = True

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """CreateEventBus, and PutPermission for a policy."""
        given = {key: value for key, value in properties.items() if key not in {"Policy", "Tags"}}
        answer = await context.call_coerced("events", "CreateEventBus", given, Tags=tags_of(properties))
        name = properties["Name"]
        attributes = {"Arn": answer["EventBusArn"], "Name": name, "Policy": text_of(properties.get("Policy", ""))}
        resource = PhysicalResource(name, attributes)
        try:
            await _put_policy(context, name, properties)
        except AwsError:
            await self.delete(replace(context, resource=resource), properties)
            raise
        return resource

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """UpdateEventBus, its policy and its tags."""
        name = context.physical_id
        given = {key: new[key] for key in _BUS_SETTINGS if key in new and key != "EventSourceName"}
        cleared = {key: value for key, value in _BUS_DEFAULTS.items() if key in old and key not in new}
        await context.call_coerced("events", "UpdateEventBus", {**cleared, **given, "Name": name})
        if "Policy" in old and "Policy" not in new:
            await context.call("events", "RemovePermission", EventBusName=name, RemoveAllPermissions=True)
        await _put_policy(context, name, new)
        await context.retag("events", {"ResourceARN": context.resource.attributes["Arn"]}, old, new)
        return PhysicalResource(name, {**context.resource.attributes, "Policy": text_of(new.get("Policy", ""))})

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteEventBus."""
        await context.call("events", "DeleteEventBus", Name=context.physical_id)


async def _put_policy(context: ResourceContext, bus: str, properties: Properties) -> None:
    if "Policy" in properties:
        await context.call("events", "PutPermission", EventBusName=bus, Policy=text_of(properties["Policy"]))


class EventBusPolicyType(ResourceType):
    """One statement of a bus's policy, by its id. Other statements stay unchanged."""

    name = "AWS::Events::EventBusPolicy"
    properties = frozenset({"Action", "Condition", "EventBusName", "Principal", "Statement", "StatementId"})
    required = frozenset({"StatementId"})
    documents = frozenset({"Condition", "Statement"})
    create_only = frozenset({"EventBusName", "StatementId"})

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """PutPermission."""
        await self._put(context, properties)
        return PhysicalResource(f"{properties.get('EventBusName', _DEFAULT_BUS)}|{properties['StatementId']}")

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """PutPermission, which replaces the statement."""
        await self._put(context, new)
        return context.resource

    async def _put(self, context: ResourceContext, properties: Properties) -> None:
        bus = properties.get("EventBusName", _DEFAULT_BUS)
        if "Statement" not in properties:
            await context.call_coerced("events", "PutPermission", properties)
            return
        if not isinstance(properties["Statement"], dict):
            raise InvalidPropertiesError(["#/Statement: expected type: JSONObject, found: String"])
        statement = {**properties["Statement"], "Sid": properties["StatementId"]}
        shown = await context.call("events", "DescribeEventBus", Name=bus)
        policy: Params = {"Version": "2012-10-17", "Statement": []}
        if "Policy" in shown:
            policy = json.loads(shown["Policy"])
        kept = [one for one in policy["Statement"] if one.get("Sid") != statement["Sid"]]
        policy["Statement"] = [*kept, statement]
        await context.call("events", "PutPermission", EventBusName=bus, Policy=json.dumps(policy))

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """RemovePermission."""
        bus, statement_id = properties.get("EventBusName"), properties["StatementId"]
        await context.call_if_exists("events", "RemovePermission", EventBusName=bus, StatementId=statement_id)


class RuleType(ResourceType):
    """A rule with its targets. Its `Ref` is its name, preceded by `BUS|` unless it is on the default bus."""

    name = "AWS::Events::Rule"
    properties = frozenset(
        {
            "Description",
            "EventBusName",
            "EventPattern",
            "Name",
            "RoleArn",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        }
    )
    documents = frozenset({"EventPattern", "Targets"})
    create_only = frozenset({"EventBusName", "Name"})
    attributes = frozenset({"Arn"})
    name_property = "Name"
    takes_tags = True

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """PutRule and PutTargets. A rule of the given name must not exist."""
        bus = properties.get("EventBusName", _DEFAULT_BUS)
        name = properties.get("Name")
        if name is None:
            name = context.new_name(64)
        elif await context.call_if_exists("events", "DescribeRule", EventBusName=bus, Name=name):
            raise already_exists(self.name, name)
        targets = _targets(context, properties)
        bus_name = bus.rpartition("/")[2]
        physical_id = name if bus_name == _DEFAULT_BUS else f"{bus_name}|{name}"
        context.expect(physical_id)
        resource = PhysicalResource(physical_id, {"Arn": await _put_rule(context, name, properties)})
        try:
            await _put_targets(context, bus, name, targets)
        except AwsError:
            await self.delete(replace(context, resource=resource), properties)
            raise
        return resource

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """PutRule, and the targets where they differ."""
        bus, name = new.get("EventBusName", _DEFAULT_BUS), context.physical_id.rpartition("|")[2]
        targets = _targets(context, new)
        await _put_rule(context, name, new)
        removed = {one["Id"] for one in _targets(context, old)} - {one["Id"] for one in targets}
        if removed:
            await context.call("events", "RemoveTargets", EventBusName=bus, Rule=name, Ids=sorted(removed))
        await _put_targets(context, bus, name, targets)
        await context.retag("events", {"ResourceARN": context.resource.attributes["Arn"]}, old, new)
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """RemoveTargets, also for targets that other clients added, and DeleteRule."""
        bus, name = properties.get("EventBusName", _DEFAULT_BUS), context.physical_id.rpartition("|")[2]
        shown = await context.call_if_exists("events", "ListTargetsByRule", EventBusName=bus, Rule=name)
        if shown and shown["Targets"]:
            ids = [one["Id"] for one in shown["Targets"]]
            await context.call("events", "RemoveTargets", EventBusName=bus, Rule=name, Ids=ids)
        await context.call_if_exists("events", "DeleteRule", EventBusName=bus, Name=name)


def _targets(context: ResourceContext, properties: Properties) -> list[Any]:
    shape = context.shape("events", "PutTargets").members["Targets"]
    targets: list[Any] = coerce(shape, properties.get("Targets") or [], "#/Targets")
    return targets


async def _put_rule(context: ResourceContext, name: str, properties: Properties) -> str:
    given = {key: value for key, value in properties.items() if key not in {"Tags", "Targets"}} | {"Name": name}
    answer = await context.call_coerced("events", "PutRule", given, Tags=tags_of(properties) or None)
    return str(answer["RuleArn"])


async def _put_targets(context: ResourceContext, bus: str, rule: str, targets: list[Any]) -> None:
    if not targets:
        return
    answer = await context.call("events", "PutTargets", EventBusName=bus, Rule=rule, Targets=targets)
    for failed in answer["FailedEntries"]:
        raise AwsError(failed["ErrorCode"], failed["ErrorMessage"])

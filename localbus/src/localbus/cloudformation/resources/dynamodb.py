"""AWS::DynamoDB::Table.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localbus.cloudformation.resources.base import (
    PhysicalResource,
    Properties,
    ResourceContext,
    ResourceType,
    already_exists,
    coerce,
    expected,
    structures_problems,
    tags_of,
    text_of,
)
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_MAX_NAME = 255
_POLL_S = 0.05
# Members of CreateTable and UpdateTable that a template has under the same name, with the defaults of those that a
# template no longer sets.
_SETTINGS: Mapping[str, Any] = {
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": None,
    "OnDemandThroughput": None,
    "WarmThroughput": None,
    "TableClass": "STANDARD",
    "DeletionProtectionEnabled": False,
}
_NOT_BUILT = (
    "ContributorInsightsSpecification",
    "ImportSourceSpecification",
    "KinesisStreamSpecification",
    "ResourcePolicy",
    "VectorIndexes",
)
_KEYS = ("AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "GlobalSecondaryIndexes")
_OF_NEW_INDEXES = ("KeySchema", "Projection")  # members of a global index that do not change
# Lists of structures, with the keys that are read here; the rest is as CreateTable has it.
_LISTS: Mapping[str, tuple[str, ...]] = {
    "AttributeDefinitions": ("AttributeName", "AttributeType"),
    "GlobalSecondaryIndexes": ("IndexName",),
}
_OBJECTS = (
    "PointInTimeRecoverySpecification",
    "ProvisionedThroughput",
    "SSESpecification",
    "StreamSpecification",
    "TimeToLiveSpecification",
)


class TableType(ResourceType):
    """A table. Its `Ref` is its name."""

    name = "AWS::DynamoDB::Table"
    properties = frozenset(
        {
            *_SETTINGS,
            *_NOT_BUILT,
            *_KEYS,
            "PointInTimeRecoverySpecification",
            "SSESpecification",
            "StreamSpecification",
            "TableName",
            "Tags",
            "TimeToLiveSpecification",
        }
    )
    required = frozenset({"KeySchema"})
    documents = properties - {"BillingMode", "DeletionProtectionEnabled", "TableClass", "TableName", "Tags"}
    create_only = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"})
    attributes = frozenset({"Arn", "StreamArn"})
    name_property = "TableName"
    takes_tags = True

    def _problems(self, name: str, value: Any) -> Iterator[str]:
        if name in _LISTS:
            yield from structures_problems(f"#/{name}", value, _LISTS[name], flat=False)
        elif name in _OBJECTS and not isinstance(value, dict):
            yield expected(f"#/{name}", "JSONObject", value)
        else:
            yield from super()._problems(name, value)

    def must_replace(self, old: Properties, new: Properties) -> bool:
        """A changed type of an attribute replaces the table too, a new attribute does not."""
        before, after = (_types(properties) for properties in (old, new))
        changed = any(before[name] != kind for name, kind in after.items() if name in before)
        return changed or super().must_replace(old, new)

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """CreateTable, and what follows it. A table of the given name must not exist."""
        name = properties.get("TableName")
        if name is not None and await context.call_if_exists("dynamodb", "DescribeTable", TableName=name):
            raise already_exists(self.name, name)
        name = name or context.new_name(_MAX_NAME)
        given = {member: properties[member] for member in (*_SETTINGS, *_KEYS) if member in properties}
        given |= _encryption(properties) | _refused(properties) | {"TableName": name}
        features, tags = _Features.read(context, properties), tags_of(properties) or None
        answer = await context.call_coerced("dynamodb", "CreateTable", given, Tags=tags)
        await features.set(context, name)
        table = answer["TableDescription"]
        return PhysicalResource(name, {"Arn": table["TableArn"], "TableId": table["TableId"]})

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """UpdateTable for each difference from the present table, time to live, recovery and tags."""
        _refuse_features(new)
        _check_index_changes(old, new)
        return await self.restore(context, old, new)

    async def restore(self, context: ResourceContext, failed: Properties, before: Properties) -> PhysicalResource:
        """Do it without the checks of an update: what was refused is undone too."""
        name, old, new = context.physical_id, failed, before
        found = await _table(context)
        indexes = {index["IndexName"] for index in found.get("GlobalSecondaryIndexes", ())}
        wanted = _indexes(new)
        for index in sorted(indexes - set(wanted)):
            await _update_table(context, {}, {"Delete": {"IndexName": index}})
        settings = _changed_settings(found, old, new)
        if settings:
            await _update_table(context, settings)
        for index in sorted(set(wanted) - indexes):
            definitions = {"AttributeDefinitions": new["AttributeDefinitions"]}
            await _update_table(context, definitions, {"Create": wanted[index]})
        await _Features.read(context, new).set(context, name)
        await context.retag("dynamodb", {"ResourceArn": context.resource.attributes["Arn"]}, old, new)
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteTable."""
        await context.call_if_exists("dynamodb", "DeleteTable", TableName=context.physical_id)


def _types(properties: Properties) -> dict[str, Any]:
    found = properties.get("AttributeDefinitions", ())
    return {one["AttributeName"]: one["AttributeType"] for one in found}


def _encryption(properties: Properties) -> Params:
    given = properties.get("SSESpecification")
    if given is None:
        return {}
    return {"SSESpecification": {("Enabled" if key == "SSEEnabled" else key): value for key, value in given.items()}}


def _refused(properties: Properties) -> Params:
    """Return what CreateTable refuses: a stream. Raises AwsError for what no action of localbus has."""
    _refuse_features(properties)
    given = properties.get("StreamSpecification")
    return {} if given is None else {"StreamSpecification": {"StreamEnabled": True}}


def _refuse_features(properties: Properties) -> None:
    for member in _NOT_BUILT:
        if properties.get(member) and properties[member] != {"Enabled": False}:
            text = f"localbus does not implement the property {member} of AWS::DynamoDB::Table."
            raise AwsError("NotImplemented", text)


async def _update_table(context: ResourceContext, given: Params, index: Params | None = None) -> None:
    updates = {} if index is None else {"GlobalSecondaryIndexUpdates": [index]}
    given = {"TableName": context.physical_id, **given, **updates}
    await context.call_coerced("dynamodb", "UpdateTable", given)
    while (await _table(context))["TableStatus"] != "ACTIVE":  # noqa: ASYNC110 (the table has no event)
        await asyncio.sleep(_POLL_S)


async def _table(context: ResourceContext) -> Params:
    found: Params = (await context.call("dynamodb", "DescribeTable", TableName=context.physical_id))["Table"]
    return found


def _changed_settings(found: Params, old: Properties, new: Properties) -> Params:
    """Return the settings that differ from those of the old template or, in a rollback, from the table's."""
    changed: Params = {}
    for member, default in _SETTINGS.items():
        value = new.get(member, default)
        if value is not None and value != old.get(member, default):
            changed[member] = value
    units = {name: str(found["ProvisionedThroughput"][name]) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    if {name: str(value) for name, value in changed.get("ProvisionedThroughput", {}).items()} == units:
        del changed["ProvisionedThroughput"]
    if new.get("SSESpecification") != old.get("SSESpecification"):
        changed |= _encryption(new) or {"SSESpecification": {"Enabled": False}}
    if "StreamSpecification" in new:
        changed["StreamSpecification"] = {"StreamEnabled": True}
    before, after = _indexes(old), _indexes(new)
    updates: list[Params] = []
    for name in sorted(before.keys() & after.keys()):
        settings = {
            member: value
            for member, value in after[name].items()
            if member not in _OF_NEW_INDEXES and value != before[name].get(member)
        }
        updates += [{"Update": {"IndexName": name, **settings}}] if settings else []
    return changed | ({"GlobalSecondaryIndexUpdates": updates} if updates else {})


def _indexes(properties: Properties) -> dict[str, Params]:
    return {text_of(index["IndexName"]): index for index in properties.get("GlobalSecondaryIndexes", ())}


def _check_index_changes(old: Properties, new: Properties) -> None:
    """Raise AwsError for changes of indexes that CloudFormation refuses."""
    before, after = _indexes(old), _indexes(new)
    for name in before.keys() & after.keys():
        if any(before[name].get(part) != after[name].get(part) for part in _OF_NEW_INDEXES):
            text = "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights"
            text += " Specification. You can create a new GSI with a different name."
            raise AwsError("InvalidRequest", text)
    if len(before.keys() ^ after.keys()) > 1:
        raise AwsError("InvalidRequest", "Cannot perform more than one GSI creation or deletion in a single update")


@dataclass(frozen=True)
class _Features:
    """The settings that follow CreateTable: the attribute of the time to live, and point-in-time recovery."""

    expiry: str | None
    recovery: Params

    @classmethod
    def read(cls, context: ResourceContext, properties: Properties) -> _Features:
        """Read them from a template. Raises InvalidPropertiesError, before there is a table."""
        shape = context.shape("dynamodb", "UpdateTimeToLive").members["TimeToLiveSpecification"]
        given = {"AttributeName": "", "Enabled": True, **properties.get("TimeToLiveSpecification", {})}
        expiry = coerce(shape, given, "#/TimeToLiveSpecification")
        shape = context.shape("dynamodb", "UpdateContinuousBackups").members["PointInTimeRecoverySpecification"]
        given = {"PointInTimeRecoveryEnabled": False, **properties.get("PointInTimeRecoverySpecification", {})}
        recovery = coerce(shape, given, "#/PointInTimeRecoverySpecification")
        return cls((expiry["AttributeName"] or None) if expiry["Enabled"] else None, recovery)

    async def set(self, context: ResourceContext, name: str) -> None:
        """Set them, where they differ from the table's."""
        table = {"TableName": name}
        answer = await context.call("dynamodb", "DescribeTimeToLive", **table)
        before = answer["TimeToLiveDescription"].get("AttributeName")
        for attribute, enabled in ((before, False), (self.expiry, True)):
            if attribute is not None and before != self.expiry:
                specification = {"AttributeName": attribute, "Enabled": enabled}
                await context.call("dynamodb", "UpdateTimeToLive", **table, TimeToLiveSpecification=specification)
        request = {**table, "PointInTimeRecoverySpecification": self.recovery}
        await context.call("dynamodb", "UpdateContinuousBackups", **request)

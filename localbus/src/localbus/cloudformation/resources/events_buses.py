"""AWS::Events::EventBus, AWS::Events::EventBusPolicy and AWS::Events::Archive.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
"""

from __future__ import annotations

import json

from localbus.cloudformation.resources.base import (
    InvalidPropertiesError,
    Made,
    Properties,
    ResourceType,
    Site,
    fit,
    tags_of,
    text_of,
)
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_GONE = "ResourceNotFoundException"
_BUS_SETTINGS = ("DeadLetterConfig", "Description", "EventSourceName", "KmsKeyIdentifier", "LogConfig")


class EventBusType(ResourceType):
    """A bus. Its `Ref` is its name."""

    name = "AWS::Events::EventBus"
    properties = frozenset({*_BUS_SETTINGS, "Name", "Policy", "Tags"})
    required = frozenset({"Name"})
    documents = frozenset({"DeadLetterConfig", "LogConfig", "Policy"})
    replacing = frozenset({"EventSourceName", "Name"})
    attributes = frozenset({"Arn", "Name", "Policy"})
    name_property = "Name"
    takes_tags = True

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateEventBus, and PutPermission for a policy."""
        given = {key: value for key, value in properties.items() if key not in {"Policy", "Tags"}}
        wanted = fit(site.shape("events", "CreateEventBus"), given) | {"Tags": tags_of(properties)}
        arn = (await site.call("events", "CreateEventBus", **wanted))["EventBusArn"]
        name = properties["Name"]
        made = Made(name, {"Arn": arn, "Name": name, "Policy": text_of(properties.get("Policy", ""))})
        try:
            await _put_policy(site, name, properties)
        except AwsError:
            await self.delete(site, made, properties)
            raise
        return made

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """UpdateEventBus, its policy and its tags."""
        given = {key: new[key] for key in _BUS_SETTINGS if key in new and key != "EventSourceName"}
        cleared = {"Description": ""} if "Description" in old and "Description" not in new else {}
        wanted = fit(site.shape("events", "UpdateEventBus"), {**cleared, **given, "Name": made.physical_id})
        await site.call("events", "UpdateEventBus", **wanted)
        if "Policy" in old and "Policy" not in new:
            await site.call("events", "RemovePermission", EventBusName=made.physical_id, RemoveAllPermissions=True)
        await _put_policy(site, made.physical_id, new)
        await retag(site, made.attributes["Arn"], old, new)
        return Made(made.physical_id, {**made.attributes, "Policy": text_of(new.get("Policy", ""))})

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteEventBus."""
        await site.call("events", "DeleteEventBus", Name=made.physical_id)


async def _put_policy(site: Site, bus: str, properties: Properties) -> None:
    if "Policy" in properties:
        await site.call("events", "PutPermission", EventBusName=bus, Policy=text_of(properties["Policy"]))


async def retag(site: Site, arn: str, old: Properties, new: Properties) -> None:
    """Bring the tags of a bus or a rule to what the template says."""
    before, after = tags_of(old), tags_of(new)
    gone = [tag["Key"] for tag in before if tag["Key"] not in {one["Key"] for one in after}]
    if gone:
        await site.call("events", "UntagResource", ResourceARN=arn, TagKeys=gone)
    if after and after != before:
        await site.call("events", "TagResource", ResourceARN=arn, Tags=after)


class EventBusPolicyType(ResourceType):
    """One statement of a bus's policy, by its id. Others' statements stay as they are."""

    name = "AWS::Events::EventBusPolicy"
    properties = frozenset({"Action", "Condition", "EventBusName", "Principal", "Statement", "StatementId"})
    required = frozenset({"StatementId"})
    documents = frozenset({"Condition", "Statement"})
    replacing = frozenset({"EventBusName", "StatementId"})

    async def create(self, site: Site, properties: Properties) -> Made:
        """PutPermission."""
        await self._put(site, properties)
        return Made(f"{properties.get('EventBusName', 'default')}|{properties['StatementId']}")

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """PutPermission in the place of what was."""
        await self._put(site, new)
        return made

    async def _put(self, site: Site, properties: Properties) -> None:
        bus = properties.get("EventBusName", "default")
        if "Statement" not in properties:
            wanted: Params = fit(site.shape("events", "PutPermission"), dict(properties))
            await site.call("events", "PutPermission", **wanted)
            return
        if not isinstance(properties["Statement"], dict):
            raise InvalidPropertiesError(["#/Statement: expected type: JSONObject, found: String"])
        statement = {**properties["Statement"], "Sid": properties["StatementId"]}
        shown = await site.call("events", "DescribeEventBus", Name=bus)
        policy: Params = {"Version": "2012-10-17", "Statement": []}
        if "Policy" in shown:
            policy = json.loads(shown["Policy"])
        kept = [one for one in policy["Statement"] if one.get("Sid") != statement["Sid"]]
        policy["Statement"] = [*kept, statement]
        await site.call("events", "PutPermission", EventBusName=bus, Policy=json.dumps(policy))

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """RemovePermission."""
        bus, statement_id = properties.get("EventBusName"), properties["StatementId"]
        try:
            await site.call("events", "RemovePermission", EventBusName=bus, StatementId=statement_id)
        except AwsError as exc:
            if exc.code != _GONE:
                raise


class ArchiveType(ResourceType):
    """An archive of a bus. Its `Ref` is its name."""

    name = "AWS::Events::Archive"
    properties = frozenset(
        {"ArchiveName", "Description", "EventPattern", "KmsKeyIdentifier", "RetentionDays", "SourceArn"}
    )
    required = frozenset({"SourceArn"})
    documents = frozenset({"EventPattern"})
    replacing = frozenset({"ArchiveName", "SourceArn"})
    attributes = frozenset({"Arn", "ArchiveName"})
    name_property = "ArchiveName"

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateArchive."""
        given = dict(properties)
        name = given.setdefault("ArchiveName", site.new_name(48))
        given["EventSourceArn"] = given.pop("SourceArn")
        wanted = fit(site.shape("events", "CreateArchive"), given)
        arn = (await site.call("events", "CreateArchive", **wanted))["ArchiveArn"]
        return Made(name, {"Arn": arn, "ArchiveName": name})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """UpdateArchive."""
        given = {"RetentionDays": 0, **new, "ArchiveName": made.physical_id}
        del given["SourceArn"]
        await site.call("events", "UpdateArchive", **fit(site.shape("events", "UpdateArchive"), given))
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteArchive."""
        try:
            await site.call("events", "DeleteArchive", ArchiveName=made.physical_id)
        except AwsError as exc:
            if exc.code != _GONE:
                raise

"""AWS::Events::Archive, AWS::Events::Connection and AWS::Events::ApiDestination.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from localbus.cloudformation.resources.base import PhysicalResource, Properties, ResourceContext, ResourceType
from localbus.protocol.service_model import Params


class _NamedType(ResourceType):
    """A type whose `Ref` is its name, with one action each to create, update and delete: `noun` completes their names.

    A type with the attribute ArnForPolicy ends its ARNs with an id that changes whenever the resource is created anew.
    """

    noun: str
    name_property: str = "Name"
    max_name_length = 64
    defaults: ClassVar[Mapping[str, Any]] = {"Description": ""}  # of properties that a template no longer sets

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """Create the resource, with a generated name if none is given."""
        given = self._to_create(properties)
        name = given.setdefault(self.name_property, context.new_name(self.max_name_length))
        context.expect(name)
        arn = (await context.call_coerced("events", f"Create{self.noun}", given))[f"{self.noun}Arn"]
        attributes = {"Arn": arn, "ArnForPolicy": arn.rpartition("/")[0], self.name_property: name}
        if "SecretArn" in self.attributes:
            attributes["SecretArn"] = (await context.call("events", "DescribeConnection", Name=name))["SecretArn"]
        return PhysicalResource(name, {key: value for key, value in attributes.items() if key in self.attributes})

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """Update the resource."""
        cleared = {name: value for name, value in self.defaults.items() if name in old and name not in new}
        given = cleared | self._to_update(new) | {self.name_property: context.physical_id}
        await context.call_coerced("events", f"Update{self.noun}", given)
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """Delete the resource."""
        name = {self.name_property: context.physical_id}
        await context.call_if_exists("events", f"Delete{self.noun}", **name)

    def _to_create(self, properties: Properties) -> Params:
        return dict(properties)

    def _to_update(self, properties: Properties) -> Params:
        return dict(properties)


class ArchiveType(_NamedType):
    """An archive of a bus."""

    name = "AWS::Events::Archive"
    noun = "Archive"
    properties = frozenset(
        {"ArchiveName", "Description", "EventPattern", "KmsKeyIdentifier", "RetentionDays", "SourceArn"}
    )
    required = frozenset({"SourceArn"})
    documents = frozenset({"EventPattern"})
    create_only = frozenset({"ArchiveName", "SourceArn"})
    attributes = frozenset({"Arn", "ArchiveName"})
    name_property = "ArchiveName"
    defaults: ClassVar[Mapping[str, Any]] = {"Description": "", "EventPattern": "", "RetentionDays": 0}
    max_name_length = 48

    def _to_create(self, properties: Properties) -> Params:
        return {"EventSourceArn" if key == "SourceArn" else key: value for key, value in properties.items()}

    def _to_update(self, properties: Properties) -> Params:
        return {key: value for key, value in properties.items() if key != "SourceArn"}


class ConnectionType(_NamedType):
    """A connection."""

    name = "AWS::Events::Connection"
    noun = "Connection"
    properties = frozenset(
        {
            "AuthParameters",
            "AuthorizationType",
            "Description",
            "InvocationConnectivityParameters",
            "KmsKeyIdentifier",
            "Name",
        }
    )
    documents = frozenset({"AuthParameters", "InvocationConnectivityParameters"})
    create_only = frozenset({"Name"})
    attributes = frozenset({"Arn", "ArnForPolicy", "SecretArn"})


class ApiDestinationType(_NamedType):
    """An API destination."""

    name = "AWS::Events::ApiDestination"
    noun = "ApiDestination"
    properties = frozenset(
        {"ConnectionArn", "Description", "HttpMethod", "InvocationEndpoint", "InvocationRateLimitPerSecond", "Name"}
    )
    required = frozenset({"ConnectionArn", "HttpMethod", "InvocationEndpoint"})
    defaults: ClassVar[Mapping[str, Any]] = {"Description": "", "InvocationRateLimitPerSecond": 300}
    create_only = frozenset({"Name"})
    attributes = frozenset({"Arn", "ArnForPolicy"})

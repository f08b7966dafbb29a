"""AWS::Events::Connection and AWS::Events::ApiDestination.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
"""

from __future__ import annotations

from typing import Any

from localbus.cloudformation.resources.base import Made, Properties, ResourceType, Site, fit
from localbus.errors import AwsError

_GONE = "ResourceNotFoundException"
_MOST_IN_NAME = 64


class ConnectionType(ResourceType):
    """A connection. Its `Ref` is its name."""

    name = "AWS::Events::Connection"
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
    replacing = frozenset({"Name"})
    attributes = frozenset({"Arn", "ArnForPolicy", "SecretArn"})
    name_property = "Name"

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateConnection."""
        given = dict(properties)
        name = given.setdefault("Name", site.new_name(_MOST_IN_NAME))
        answer = await site.call("events", "CreateConnection", **fit(site.shape("events", "CreateConnection"), given))
        shown = await site.call("events", "DescribeConnection", Name=name)
        arn = answer["ConnectionArn"]
        return Made(name, {"Arn": arn, "ArnForPolicy": _without_id(arn), "SecretArn": shown["SecretArn"]})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """UpdateConnection."""
        wanted = fit(site.shape("events", "UpdateConnection"), {**new, "Name": made.physical_id})
        await site.call("events", "UpdateConnection", **wanted)
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteConnection."""
        await _delete(site, "DeleteConnection", made)


class ApiDestinationType(ResourceType):
    """An API destination. Its `Ref` is its name."""

    name = "AWS::Events::ApiDestination"
    properties = frozenset(
        {"ConnectionArn", "Description", "HttpMethod", "InvocationEndpoint", "InvocationRateLimitPerSecond", "Name"}
    )
    required = frozenset({"ConnectionArn", "HttpMethod", "InvocationEndpoint"})
    replacing = frozenset({"Name"})
    attributes = frozenset({"Arn", "ArnForPolicy"})
    name_property = "Name"

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateApiDestination."""
        given = dict(properties)
        name = given.setdefault("Name", site.new_name(_MOST_IN_NAME))
        wanted = fit(site.shape("events", "CreateApiDestination"), given)
        arn = (await site.call("events", "CreateApiDestination", **wanted))["ApiDestinationArn"]
        return Made(name, {"Arn": arn, "ArnForPolicy": _without_id(arn)})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """UpdateApiDestination."""
        given: dict[str, Any] = {**new, "Name": made.physical_id}
        await site.call("events", "UpdateApiDestination", **fit(site.shape("events", "UpdateApiDestination"), given))
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteApiDestination."""
        await _delete(site, "DeleteApiDestination", made)


async def _delete(site: Site, operation: str, made: Made) -> None:
    try:
        await site.call("events", operation, Name=made.physical_id)
    except AwsError as exc:
        if exc.code != _GONE:
            raise


def _without_id(arn: str) -> str:
    """The ARN up to the name: what a policy names, since the id at the end changes with each new one."""
    return arn.rpartition("/")[0]

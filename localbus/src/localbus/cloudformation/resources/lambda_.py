"""AWS::Lambda::EventSourceMapping. One of another source than a queue is made by the upstream, by the same actions.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from localbus.cloudformation.resources.base import Made, Properties, ResourceType, Site, fit, tags_of
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_GONE = "ResourceNotFoundException"
_AT_REST = {"Enabled", "Disabled"}
_SETTLES_WITHIN_S = 30
_POLL_S = 0.01
# What a mapping has where a template does not say, for those properties that the API keeps when they are not named.
_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 10,
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}


class MappingType(ResourceType):
    """A mapping. Its `Ref` is its id."""

    name = "AWS::Lambda::EventSourceMapping"
    properties = frozenset(
        {
            *_DEFAULTS,
            "AmazonManagedKafkaEventSourceConfig",
            "BisectBatchOnFunctionError",
            "DestinationConfig",
            "DocumentDBEventSourceConfig",
            "EventSourceArn",
            "FunctionName",
            "KmsKeyArn",
            "LoggingConfig",
            "MaximumRecordAgeInSeconds",
            "MaximumRetryAttempts",
            "MetricsConfig",
            "ParallelizationFactor",
            "ProvisionedPollerConfig",
            "Queues",
            "SelfManagedEventSource",
            "SelfManagedKafkaEventSourceConfig",
            "SourceAccessConfigurations",
            "StartingPosition",
            "StartingPositionTimestamp",
            "Tags",
            "Topics",
            "TumblingWindowInSeconds",
        }
    )
    required = frozenset({"FunctionName"})
    documents = frozenset(properties - {"Tags", "FunctionName", "EventSourceArn", "BatchSize", "Enabled"})
    replacing = frozenset({"EventSourceArn", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp"})
    attributes = frozenset({"EventSourceMappingArn", "Id"})
    takes_tags = True

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateEventSourceMapping. A mapping shows CloudFormation's own tags, a queue does not (recorded of AWS)."""
        wanted = fit(site.shape("lambda", "CreateEventSourceMapping"), _given(properties))
        tags = {tag["Key"]: tag["Value"] for tag in tags_of(properties)} | site.own_tags()
        answer = await site.call("lambda", "CreateEventSourceMapping", **wanted, Tags=tags)
        uuid = answer["UUID"]
        await _settle(site, uuid)
        arn = f"arn:aws:lambda:{site.caller.region}:{site.caller.account}:event-source-mapping:{uuid}"
        return Made(uuid, {"Id": uuid, "EventSourceMappingArn": arn})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """UpdateEventSourceMapping; what is no longer given gets its default again."""
        cleared = {name: value for name, value in _DEFAULTS.items() if name in old and name not in new}
        shape = site.shape("lambda", "UpdateEventSourceMapping")
        given = {name: value for name, value in _given(new).items() if name in shape.members}
        await site.call(
            "lambda", "UpdateEventSourceMapping", **fit(shape, {**cleared, **given, "UUID": made.physical_id})
        )
        await _settle(site, made.physical_id)
        await _retag(site, made.attributes["EventSourceMappingArn"], old, new)
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteEventSourceMapping."""
        try:
            await _settle(site, made.physical_id)
            await site.call("lambda", "DeleteEventSourceMapping", UUID=made.physical_id)
        except AwsError as exc:
            if exc.code != _GONE:
                raise


def _given(properties: Properties) -> Params:
    """The properties by the names of the API."""
    given = {name: value for name, value in properties.items() if name != "Tags"}
    if "KmsKeyArn" in given:
        given["KMSKeyArn"] = given.pop("KmsKeyArn")
    return given


async def _settle(site: Site, uuid: str) -> None:
    """Wait till the mapping is neither being made nor being changed."""
    async with asyncio.timeout(_SETTLES_WITHIN_S):
        while (await site.call("lambda", "GetEventSourceMapping", UUID=uuid))["State"] not in _AT_REST:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)


async def _retag(site: Site, arn: str, old: Properties, new: Properties) -> None:
    before, after = ({tag["Key"]: tag["Value"] for tag in tags_of(one)} for one in (old, new))
    gone = [key for key in before if key not in after]
    if gone:
        await site.call("lambda", "UntagResource", Resource=arn, TagKeys=gone)
    if after and after != before:
        await site.call("lambda", "TagResource", Resource=arn, Tags=after)

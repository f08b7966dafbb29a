"""AWS::Lambda::EventSourceMapping. The upstream creates mappings of other sources than queues, by the same actions.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from localbus.cloudformation.resources.base import PhysicalResource, Properties, ResourceContext, ResourceType, tag_map
from localbus.protocol.service_model import Params

_STABLE = {"Enabled", "Disabled"}
_STABLE_WITHIN_S = 30
_POLL_S = 0.01
# Defaults of the properties that UpdateEventSourceMapping leaves unchanged when a template no longer sets them.
_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 10,
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}


class MappingType(ResourceType):
    """An event source mapping. Its `Ref` is its UUID."""

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
    create_only = frozenset(
        {"EventSourceArn", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp"}
    )
    attributes = frozenset({"EventSourceMappingArn", "Id"})
    takes_tags = True

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """CreateEventSourceMapping. A mapping shows CloudFormation's own tags, a queue does not (recorded of AWS)."""
        tags = tag_map(properties) | context.system_tags()
        answer = await context.call_coerced("lambda", "CreateEventSourceMapping", _api_names(properties), Tags=tags)
        uuid = answer["UUID"]
        arn = f"arn:aws:lambda:{context.caller.region}:{context.caller.account}:event-source-mapping:{uuid}"
        return PhysicalResource(uuid, {"Id": uuid, "EventSourceMappingArn": arn})

    async def stabilize(self, context: ResourceContext) -> PhysicalResource:
        """Wait until it is enabled or disabled."""
        await _wait_until_stable(context, context.physical_id)
        return context.resource

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """UpdateEventSourceMapping. Properties that the template no longer sets get their default."""
        await _wait_until_stable(context, context.physical_id)
        members = context.shape("lambda", "UpdateEventSourceMapping").members
        given = {name: value for name, value in _DEFAULTS.items() if name in old and name not in new}
        given |= {name: value for name, value in _api_names(new).items() if name in members}
        await context.call_coerced("lambda", "UpdateEventSourceMapping", given | {"UUID": context.physical_id})
        await _wait_until_stable(context, context.physical_id)
        await context.retag("lambda", {"Resource": context.resource.attributes["EventSourceMappingArn"]}, old, new)
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteEventSourceMapping."""
        await _wait_until_stable(context, context.physical_id)
        await context.call_if_exists("lambda", "DeleteEventSourceMapping", UUID=context.physical_id)


def _api_names(properties: Properties) -> Params:
    """The properties by the parameter names of the API, without the tags."""
    names = {"KmsKeyArn": "KMSKeyArn"}
    return {names.get(name, name): value for name, value in properties.items() if name != "Tags"}


async def _wait_until_stable(context: ResourceContext, uuid: str) -> None:
    async with asyncio.timeout(_STABLE_WITHIN_S):
        while found := await context.call_if_exists("lambda", "GetEventSourceMapping", UUID=uuid):
            if found["State"] in _STABLE:
                return
            await asyncio.sleep(_POLL_S)

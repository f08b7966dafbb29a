"""Policies of queues and topics: AWS::SQS::QueuePolicy, AWS::SNS::TopicPolicy and their inline forms.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html
"""

from __future__ import annotations

from typing import Literal

from localbus.cloudformation.resources.base import PhysicalResource, Properties, ResourceContext, ResourceType, text_of
from localbus.protocol.service_model import Params

_MAX_NAME_LENGTH = {"sqs": 80, "sns": 256}


class PolicyType(ResourceType):
    """A policy document set on the queues or topics that the property `targets` names: a list, or one if inline.

    Its `Ref` is a generated name, or the one queue or topic. Deleting it restores the first policy.
    """

    documents = frozenset({"PolicyDocument"})

    def __init__(self, name: str, service: Literal["sqs", "sns"], targets: str, *, inline: bool) -> None:
        self.name, self._service, self._targets, self._inline = name, service, targets, inline
        self.properties = self.required = frozenset({"PolicyDocument", targets})
        if inline:
            self.create_only = frozenset({targets})
        else:
            self.lists, self.attributes = frozenset({targets}), frozenset({"Id"})

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """Set the policy on each target."""
        await self._set(context, properties)
        if self._inline:
            return PhysicalResource(properties[self._targets])
        name = context.new_name(_MAX_NAME_LENGTH[self._service])
        return PhysicalResource(name, {"Id": name})

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """Set the policy on the new targets, and remove it from those that are no longer named."""
        await self._set(context, new)
        await self._remove(context, [target for target in self._of(old) if target not in self._of(new)])
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """Remove the policy from each target."""
        await self._remove(context, self._of(properties))

    def _of(self, properties: Properties) -> list[str]:
        return [properties[self._targets]] if self._inline else properties[self._targets]

    async def _set(self, context: ResourceContext, properties: Properties) -> None:
        for target in self._of(properties):
            operation, params = self._request(target, text_of(properties["PolicyDocument"]))
            await context.call(self._service, operation, **params)

    async def _remove(self, context: ResourceContext, targets: list[str]) -> None:
        for target in targets:
            operation, params = self._request(target, "")
            await context.call_if_exists(self._service, operation, **params)

    def _request(self, target: str, policy: str) -> tuple[str, Params]:
        if self._service == "sqs":
            return "SetQueueAttributes", {"QueueUrl": target, "Attributes": {"Policy": policy}}
        return "SetTopicAttributes", {"TopicArn": target, "AttributeName": "Policy", "AttributeValue": policy}


POLICY_TYPES = (
    PolicyType("AWS::SQS::QueuePolicy", "sqs", "Queues", inline=False),
    PolicyType("AWS::SQS::QueueInlinePolicy", "sqs", "Queue", inline=True),
    PolicyType("AWS::SNS::TopicPolicy", "sns", "Topics", inline=False),
    PolicyType("AWS::SNS::TopicInlinePolicy", "sns", "TopicArn", inline=True),
)

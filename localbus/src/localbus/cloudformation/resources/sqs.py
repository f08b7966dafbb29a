"""AWS::SQS::Queue.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
"""

from __future__ import annotations

from localbus.cloudformation.resources.base import (
    PhysicalResource,
    Properties,
    ResourceContext,
    ResourceType,
    already_exists,
    tag_map,
    text_of,
)
from localbus.sqs import queue_attributes

# The values to which CloudFormation resets attributes that a template no longer sets. They are not always those of a
# new queue (the maximum size is that of 2023). Others stay as they are, such as SqsManagedSseEnabled and a FIFO queue's
# high throughput.
_RESET_TO = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "VisibilityTimeout": "30",
}


class QueueType(ResourceType):
    """A queue. Its `Ref` is its URL."""

    name = "AWS::SQS::Queue"
    properties = frozenset(queue_attributes.SETTABLE - {"Policy"} | {"QueueName", "Tags"})
    documents = frozenset({"RedriveAllowPolicy", "RedrivePolicy"})
    create_only = frozenset({"QueueName", "FifoQueue"})
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})
    name_property = "QueueName"
    takes_tags = True

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """CreateQueue. A queue of the given name must not exist."""
        name = properties.get("QueueName")
        if name is not None and await context.call_if_exists("sqs", "GetQueueUrl", QueueName=name):
            raise already_exists(self.name, name)
        attributes = {key: text_of(value) for key, value in properties.items() if key in queue_attributes.SETTABLE}
        fifo = attributes.get("FifoQueue", "").lower()
        if fifo == "false":  # CreateQueue accepts only true, a template both
            del attributes["FifoQueue"]
        name = name or context.new_name(80, ".fifo" if fifo == "true" else "")
        answer = await context.call(
            "sqs", "CreateQueue", QueueName=name, Attributes=attributes, tags=tag_map(properties)
        )
        arn = f"arn:aws:sqs:{context.caller.region}:{context.caller.account}:{name}"
        return PhysicalResource(answer["QueueUrl"], {"Arn": arn, "QueueName": name, "QueueUrl": answer["QueueUrl"]})

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """SetQueueAttributes. Attributes that the template no longer sets get CloudFormation's default."""
        url = context.physical_id
        changed = {key: value for key, value in _RESET_TO.items() if key in old and key not in new} | {
            key: text_of(new[key])
            for key in queue_attributes.SETTABLE - {"FifoQueue", "Policy"}
            if key in new and old.get(key) != new[key]
        }
        if changed:
            await context.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes=changed)
        await context.retag("sqs", {"QueueUrl": url}, old, new, ("TagQueue", "UntagQueue"))
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteQueue."""
        await context.call_if_exists("sqs", "DeleteQueue", QueueUrl=context.physical_id)
        context.free_name(context.resource.attributes["Arn"])

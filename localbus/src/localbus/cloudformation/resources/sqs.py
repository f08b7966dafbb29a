"""AWS::SQS::Queue, AWS::SQS::QueuePolicy and AWS::SQS::QueueInlinePolicy.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html
"""

from __future__ import annotations

from localbus.cloudformation.resources.base import (
    Made,
    Properties,
    ResourceType,
    Site,
    already_exists,
    tags_of,
    text_of,
)
from localbus.errors import AwsError
from localbus.sqs import queue_attributes

_GONE = {"QueueDoesNotExist", "InvalidAddress"}
_MOST_IN_NAME = 80


# What CloudFormation sets where a template no longer says: not always what a new queue has (the size is that of 2023).
# What is not here stays as it is, such as SqsManagedSseEnabled and a FIFO queue's high throughput.
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
    replacing = frozenset({"QueueName", "FifoQueue"})
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})
    name_property = "QueueName"
    takes_tags = True

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateQueue, which here must not find one that is there."""
        fifo = text_of(properties.get("FifoQueue", "")).lower() == "true"
        given = properties.get("QueueName")
        if given is not None and await _is_there(site, given):
            raise already_exists(self.name, given)
        name = given or site.new_name(_MOST_IN_NAME, ".fifo" if fifo else "")
        attributes = {key: text_of(value) for key, value in properties.items() if key in queue_attributes.SETTABLE}
        if attributes.get("FifoQueue", "").lower() == "false":  # CreateQueue knows only true; a template says both
            del attributes["FifoQueue"]
        tags = {tag["Key"]: tag["Value"] for tag in tags_of(properties)}
        url = (await site.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes, tags=tags))["QueueUrl"]
        arn = f"arn:aws:sqs:{site.caller.region}:{site.caller.account}:{name}"
        return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """SetQueueAttributes; what is no longer given gets CloudFormation's default."""
        url = made.physical_id
        changed = {key: value for key, value in _RESET_TO.items() if key in old and key not in new} | {
            key: text_of(new[key])
            for key in queue_attributes.SETTABLE - {"FifoQueue", "Policy"}
            if key in new and old.get(key) != new[key]
        }
        if changed:
            await site.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes=changed)
        before, after = ({tag["Key"]: tag["Value"] for tag in tags_of(one)} for one in (old, new))
        gone = [key for key in before if key not in after]
        if gone:
            await site.call("sqs", "UntagQueue", QueueUrl=url, TagKeys=gone)
        if after and after != before:
            await site.call("sqs", "TagQueue", QueueUrl=url, Tags=after)
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteQueue."""
        try:
            await site.call("sqs", "DeleteQueue", QueueUrl=made.physical_id)
        except AwsError as exc:
            if exc.code not in _GONE:
                raise
        site.free_name(made.attributes["Arn"])


async def _is_there(site: Site, name: str) -> bool:
    try:
        await site.call("sqs", "GetQueueUrl", QueueName=name)
    except AwsError as exc:
        if exc.code in _GONE:
            return False
        raise
    return True


async def _set_policy(site: Site, url: str, document: object) -> None:
    await site.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": text_of(document)})


async def _remove_policy(site: Site, url: str) -> None:
    try:
        await _set_policy(site, url, "")
    except AwsError as exc:
        if exc.code not in _GONE:
            raise


class QueuePolicyType(ResourceType):
    """One policy for several queues."""

    name = "AWS::SQS::QueuePolicy"
    properties = frozenset({"PolicyDocument", "Queues"})
    required = properties
    documents = frozenset({"PolicyDocument"})
    lists = frozenset({"Queues"})
    attributes = frozenset({"Id"})

    async def create(self, site: Site, properties: Properties) -> Made:
        """Set the policy on each queue."""
        for url in properties["Queues"]:
            await _set_policy(site, url, properties["PolicyDocument"])
        made_up = site.new_name(_MOST_IN_NAME)
        return Made(made_up, {"Id": made_up})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """Set the policy on the queues that are named now, and take it from those that no longer are."""
        for url in new["Queues"]:
            await _set_policy(site, url, new["PolicyDocument"])
        for url in old["Queues"]:
            if url not in new["Queues"]:
                await _remove_policy(site, url)
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """Take the policy from the queues."""
        for url in properties["Queues"]:
            await _remove_policy(site, url)


class QueueInlinePolicyType(ResourceType):
    """The policy of one queue."""

    name = "AWS::SQS::QueueInlinePolicy"
    properties = frozenset({"PolicyDocument", "Queue"})
    required = properties
    documents = frozenset({"PolicyDocument"})
    replacing = frozenset({"Queue"})

    async def create(self, site: Site, properties: Properties) -> Made:
        """Set the policy."""
        await _set_policy(site, properties["Queue"], properties["PolicyDocument"])
        return Made(properties["Queue"])

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """Set the policy anew."""
        await _set_policy(site, made.physical_id, new["PolicyDocument"])
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """Take the policy away."""
        await _remove_policy(site, made.physical_id)

"""AWS::SNS::Topic, AWS::SNS::TopicPolicy and AWS::SNS::TopicInlinePolicy.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from localbus.cloudformation.resources.base import (
    InvalidPropertiesError,
    Made,
    Properties,
    ResourceType,
    Site,
    already_exists,
    tags_of,
    text_of,
)
from localbus.cloudformation.template.parameters import as_text
from localbus.errors import AwsError

_MOST_IN_NAME = 256
_TOPIC_ATTRIBUTES = frozenset(
    {
        "ArchivePolicy",
        "ContentBasedDeduplication",
        "DisplayName",
        "FifoThroughputScope",
        "FifoTopic",
        "KmsMasterKeyId",
        "SignatureVersion",
        "TracingConfig",
    }
)
_DEFAULTS = {"ContentBasedDeduplication": "false", "FifoThroughputScope": "Topic", "SignatureVersion": "1"}
_DEFAULTS |= {"TracingConfig": "PassThrough", "ArchivePolicy": "{}"}
_LOGGED = {"http/s": "HTTP", "sqs": "SQS", "lambda": "Lambda", "firehose": "Firehose", "application": "Application"}
_LOG_ATTRIBUTES = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")


class TopicType(ResourceType):
    """A topic, with subscriptions that stand in it. Its `Ref` is its ARN."""

    name = "AWS::SNS::Topic"
    properties = _TOPIC_ATTRIBUTES | {
        "DataProtectionPolicy",
        "DeliveryStatusLogging",
        "Subscription",
        "Tags",
        "TopicName",
    }
    documents = frozenset({"ArchivePolicy", "DataProtectionPolicy"})
    structures: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **ResourceType.structures,
        "DeliveryStatusLogging": ("Protocol",),
        "Subscription": ("Endpoint", "Protocol"),
    }
    replacing = frozenset({"TopicName", "FifoTopic"})
    attributes = frozenset({"TopicArn", "TopicName"})
    name_property = "TopicName"
    takes_tags = True

    async def create(self, site: Site, properties: Properties) -> Made:
        """CreateTopic, which here must not find one that is there, and Subscribe."""
        attributes = _attributes(properties)
        given = properties.get("TopicName")
        name = given or site.new_name(_MOST_IN_NAME, ".fifo" if attributes.get("FifoTopic") == "true" else "")
        arn = f"arn:aws:sns:{site.caller.region}:{site.caller.account}:{name}"
        if given is not None and await _is_there(site, arn):
            raise already_exists(self.name, arn)
        tags = tags_of(properties) or None
        await site.call("sns", "CreateTopic", Name=name, Attributes=attributes, Tags=tags)
        made = Made(arn, {"TopicArn": arn, "TopicName": name})
        try:
            await self._protect(site, arn, properties)
            for one in properties.get("Subscription", []):
                await site.call("sns", "Subscribe", TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
        except AwsError:
            await self.delete(site, made, properties)
            raise
        return made

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """SetTopicAttributes, tags and subscriptions where they differ."""
        arn, before, after = made.physical_id, _attributes(old), _attributes(new)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                value = after.get(key, _DEFAULTS.get(key, ""))
                await site.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName=key, AttributeValue=value)
        if old.get("DataProtectionPolicy") != new.get("DataProtectionPolicy"):
            await self._protect(site, arn, new)
        await self._retag(site, arn, old, new)
        await self._resubscribe(site, arn, old, new)
        return made

    async def _protect(self, site: Site, arn: str, properties: Properties) -> None:
        if "DataProtectionPolicy" in properties:
            policy = text_of(properties["DataProtectionPolicy"])
            await site.call("sns", "PutDataProtectionPolicy", ResourceArn=arn, DataProtectionPolicy=policy)

    async def _retag(self, site: Site, arn: str, old: Properties, new: Properties) -> None:
        before, after = tags_of(old), tags_of(new)
        gone = [tag["Key"] for tag in before if tag["Key"] not in {one["Key"] for one in after}]
        if gone:
            await site.call("sns", "UntagResource", ResourceArn=arn, TagKeys=gone)
        if after and after != before:
            await site.call("sns", "TagResource", ResourceArn=arn, Tags=after)

    async def _resubscribe(self, site: Site, arn: str, old: Properties, new: Properties) -> None:
        before, after = (
            [(one["Protocol"], one["Endpoint"]) for one in given.get("Subscription", [])] for given in (old, new)
        )
        for protocol, endpoint in after:
            if (protocol, endpoint) not in before:
                await site.call("sns", "Subscribe", TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
        gone = {one for one in before if one not in after}
        token: str | None = None
        while gone:
            page = await site.call("sns", "ListSubscriptionsByTopic", TopicArn=arn, NextToken=token)
            for one in page["Subscriptions"]:
                if (one["Protocol"], one["Endpoint"]) in gone and one["SubscriptionArn"].startswith("arn:"):
                    await site.call("sns", "Unsubscribe", SubscriptionArn=one["SubscriptionArn"])
            token = page.get("NextToken")
            if token is None:
                return

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """DeleteTopic, which takes its subscriptions along."""
        await site.call("sns", "DeleteTopic", TopicArn=made.physical_id)


def _attributes(properties: Properties) -> dict[str, str]:
    found = {key: text_of(value) for key, value in properties.items() if key in _TOPIC_ATTRIBUTES}
    archive = properties.get("ArchivePolicy")
    if isinstance(archive, dict):  # its number of days arrives at the topic as a text (recorded of AWS)
        found["ArchivePolicy"] = text_of({key: as_text(value) for key, value in archive.items()})
    if found.get("FifoTopic", "").lower() == "true":
        found["FifoTopic"] = "true"
    else:
        found.pop("FifoTopic", None)
    for one in properties.get("DeliveryStatusLogging", []):
        protocol = _LOGGED.get(str(one.get("Protocol", "")).lower())
        if protocol is None:
            raise InvalidPropertiesError(
                [f"#/DeliveryStatusLogging: #: {one.get('Protocol')} is not a valid enum value"]
            )
        found |= {f"{protocol}{key}": text_of(one[key]) for key in _LOG_ATTRIBUTES if key in one}
    return found


async def _is_there(site: Site, arn: str) -> bool:
    try:
        await site.call("sns", "GetTopicAttributes", TopicArn=arn)
    except AwsError as exc:
        if exc.code == "NotFoundException":
            return False
        raise
    return True


async def _set_policy(site: Site, arn: str, document: object) -> None:
    policy = text_of(document)
    await site.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


async def _remove_policy(site: Site, arn: str) -> None:
    """An empty policy gives a topic its first one back."""
    try:
        await _set_policy(site, arn, "")
    except AwsError as exc:
        if exc.code != "NotFoundException":
            raise


class TopicPolicyType(ResourceType):
    """One policy for several topics."""

    name = "AWS::SNS::TopicPolicy"
    properties = frozenset({"PolicyDocument", "Topics"})
    required = properties
    documents = frozenset({"PolicyDocument"})
    lists = frozenset({"Topics"})
    attributes = frozenset({"Id"})

    async def create(self, site: Site, properties: Properties) -> Made:
        """Set the policy on each topic."""
        for arn in properties["Topics"]:
            await _set_policy(site, arn, properties["PolicyDocument"])
        made_up = site.new_name(_MOST_IN_NAME)
        return Made(made_up, {"Id": made_up})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """Set the policy on the topics that are named now, and take it from those that no longer are."""
        for arn in new["Topics"]:
            await _set_policy(site, arn, new["PolicyDocument"])
        for arn in old["Topics"]:
            if arn not in new["Topics"]:
                await _remove_policy(site, arn)
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """Give the topics their first policy back."""
        for arn in properties["Topics"]:
            await _remove_policy(site, arn)


class TopicInlinePolicyType(ResourceType):
    """The policy of one topic."""

    name = "AWS::SNS::TopicInlinePolicy"
    properties = frozenset({"PolicyDocument", "TopicArn"})
    required = properties
    documents = frozenset({"PolicyDocument"})
    replacing = frozenset({"TopicArn"})

    async def create(self, site: Site, properties: Properties) -> Made:
        """Set the policy."""
        await _set_policy(site, properties["TopicArn"], properties["PolicyDocument"])
        return Made(properties["TopicArn"])

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """Set the policy anew."""
        await _set_policy(site, made.physical_id, new["PolicyDocument"])
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """Give the topic its first policy back."""
        await _remove_policy(site, made.physical_id)

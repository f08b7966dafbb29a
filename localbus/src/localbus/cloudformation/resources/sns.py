"""AWS::SNS::Topic and AWS::SNS::Subscription.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from localbus.cloudformation.resources.base import (
    InvalidPropertiesError,
    PhysicalResource,
    Properties,
    ResourceContext,
    ResourceType,
    already_exists,
    tags_of,
    text_of,
)
from localbus.cloudformation.template.parser import as_text
from localbus.errors import AwsError

# The topic attributes that are properties, and the values to which CloudFormation resets them.
_TOPIC_ATTRIBUTES = {
    "ArchivePolicy": "{}",
    "ContentBasedDeduplication": "false",
    "DisplayName": "",
    "FifoThroughputScope": "Topic",
    "FifoTopic": "",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
_LOGGED = {"http/s": "HTTP", "sqs": "SQS", "lambda": "Lambda", "firehose": "Firehose", "application": "Application"}
_LOG_ATTRIBUTES = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
_SUBSCRIPTION_ATTRIBUTES = {
    "DeliveryPolicy": "",
    "FilterPolicy": "{}",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "",
    "ReplayPolicy": "",
    "SubscriptionRoleArn": "",
}


class TopicType(ResourceType):
    """A topic, with the subscriptions in its properties. Its `Ref` is its ARN."""

    name = "AWS::SNS::Topic"
    properties = frozenset(_TOPIC_ATTRIBUTES) | {
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
    create_only = frozenset({"TopicName", "FifoTopic"})
    attributes = frozenset({"TopicArn", "TopicName"})
    name_property = "TopicName"
    takes_tags = True

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """CreateTopic and Subscribe. A topic of the given name must not exist."""
        attributes = _topic_attributes(properties)
        given = properties.get("TopicName")
        name = given or context.new_name(256, ".fifo" if attributes.get("FifoTopic") == "true" else "")
        arn = f"arn:aws:sns:{context.caller.region}:{context.caller.account}:{name}"
        if given is not None and await context.call_if_exists("sns", "GetTopicAttributes", TopicArn=arn):
            raise already_exists(self.name, arn)
        tags = tags_of(properties) or None
        await context.call("sns", "CreateTopic", Name=name, Attributes=attributes, Tags=tags)
        resource = PhysicalResource(arn, {"TopicArn": arn, "TopicName": name})
        try:
            await _set_data_protection(context, arn, properties)
            await _update_subscriptions(context, arn, {}, properties)
        except AwsError:
            await self.delete(replace(context, resource=resource), properties)
            raise
        return resource

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """SetTopicAttributes, tags and subscriptions where they differ."""
        arn, before, after = context.physical_id, _topic_attributes(old), _topic_attributes(new)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                value = after.get(key, _TOPIC_ATTRIBUTES.get(key, ""))
                await context.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName=key, AttributeValue=value)
        if old.get("DataProtectionPolicy") != new.get("DataProtectionPolicy"):
            await _set_data_protection(context, arn, new)
        await context.retag("sns", {"ResourceArn": arn}, old, new)
        await _update_subscriptions(context, arn, old, new)
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteTopic, which deletes the topic's subscriptions too."""
        await context.call("sns", "DeleteTopic", TopicArn=context.physical_id)


async def _set_data_protection(context: ResourceContext, arn: str, properties: Properties) -> None:
    if "DataProtectionPolicy" in properties:
        policy = text_of(properties["DataProtectionPolicy"])
        await context.call("sns", "PutDataProtectionPolicy", ResourceArn=arn, DataProtectionPolicy=policy)


async def _update_subscriptions(context: ResourceContext, arn: str, old: Properties, new: Properties) -> None:
    before, after = (
        [(one["Protocol"], one["Endpoint"]) for one in given.get("Subscription", [])] for given in (old, new)
    )
    for protocol, endpoint in after:
        if (protocol, endpoint) not in before:
            await context.call("sns", "Subscribe", TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
    removed = {one for one in before if one not in after}
    token: str | None = None
    while removed:
        page = await context.call("sns", "ListSubscriptionsByTopic", TopicArn=arn, NextToken=token)
        for one in page["Subscriptions"]:
            if (one["Protocol"], one["Endpoint"]) in removed and one["SubscriptionArn"].startswith("arn:"):
                await context.call("sns", "Unsubscribe", SubscriptionArn=one["SubscriptionArn"])
        token = page.get("NextToken")
        if token is None:
            return


def _topic_attributes(properties: Properties) -> dict[str, str]:
    found = {key: text_of(value) for key, value in properties.items() if key in _TOPIC_ATTRIBUTES}
    archive = properties.get("ArchivePolicy")
    if isinstance(archive, dict):  # the topic gets the number of days as text (recorded of AWS)
        found["ArchivePolicy"] = text_of({key: as_text(value) for key, value in archive.items()})
    if found.pop("FifoTopic", "").lower() == "true":
        found["FifoTopic"] = "true"
    for one in properties.get("DeliveryStatusLogging", []):
        protocol = _LOGGED.get(str(one.get("Protocol", "")).lower())
        if protocol is None:
            raise InvalidPropertiesError(
                [f"#/DeliveryStatusLogging: #: {one.get('Protocol')} is not a valid enum value"]
            )
        found |= {f"{protocol}{key}": text_of(one[key]) for key in _LOG_ATTRIBUTES if key in one}
    return found


class SubscriptionType(ResourceType):
    """A subscription. Its `Ref` is its ARN, also while it is pending confirmation."""

    name = "AWS::SNS::Subscription"
    properties = frozenset(_SUBSCRIPTION_ATTRIBUTES) | {"Endpoint", "Protocol", "Region", "TopicArn"}
    required = frozenset({"Protocol", "TopicArn"})
    documents = frozenset({"DeliveryPolicy", "FilterPolicy", "RedrivePolicy", "ReplayPolicy"})
    create_only = frozenset({"Endpoint", "Protocol", "TopicArn"})
    attributes = frozenset({"Arn"})

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """Subscribe."""
        answer = await _in_region(context, properties).call(
            "sns",
            "Subscribe",
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint"),
            Attributes={key: text_of(properties[key]) for key in _SUBSCRIPTION_ATTRIBUTES if key in properties},
            ReturnSubscriptionArn=True,
        )
        return PhysicalResource(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """SetSubscriptionAttributes, in an order in which the filter policy always fits its scope."""
        keys = [key for key in _SUBSCRIPTION_ATTRIBUTES if old.get(key) != new.get(key)]
        if new.get("FilterPolicyScope") == "MessageBody":
            keys.sort(key=lambda key: key != "FilterPolicyScope")
        for key in keys:
            value = text_of(new.get(key, _SUBSCRIPTION_ATTRIBUTES[key]))
            await _in_region(context, new).call(
                "sns",
                "SetSubscriptionAttributes",
                SubscriptionArn=context.physical_id,
                AttributeName=key,
                AttributeValue=value,
            )
        return context.resource

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """Unsubscribe."""
        await _in_region(context, properties).call("sns", "Unsubscribe", SubscriptionArn=context.physical_id)


def _in_region(context: ResourceContext, properties: Properties) -> ResourceContext:
    """The context in the topic's region."""
    region = properties.get("Region", context.caller.region)
    return replace(context, caller=replace(context.caller, region=region))

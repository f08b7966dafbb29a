"""AWS::SNS::Subscription.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html
"""

from __future__ import annotations

from dataclasses import replace

from localbus.cloudformation.resources.base import Made, Properties, ResourceType, Site, text_of

_SUBSCRIPTION_ATTRIBUTES = frozenset(
    {
        "DeliveryPolicy",
        "FilterPolicy",
        "FilterPolicyScope",
        "RawMessageDelivery",
        "RedrivePolicy",
        "ReplayPolicy",
        "SubscriptionRoleArn",
    }
)
_WITHOUT = {"FilterPolicy": "{}", "FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false"}


class SubscriptionType(ResourceType):
    """A subscription. Its `Ref` is its ARN, also while it waits to be confirmed."""

    name = "AWS::SNS::Subscription"
    properties = _SUBSCRIPTION_ATTRIBUTES | {"Endpoint", "Protocol", "Region", "TopicArn"}
    required = frozenset({"Protocol", "TopicArn"})
    documents = frozenset({"DeliveryPolicy", "FilterPolicy", "RedrivePolicy", "ReplayPolicy"})
    replacing = frozenset({"Endpoint", "Protocol", "TopicArn"})
    attributes = frozenset({"Arn"})

    async def create(self, site: Site, properties: Properties) -> Made:
        """Subscribe."""
        answer = await _in_region(site, properties).call(
            "sns",
            "Subscribe",
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint"),
            Attributes={key: text_of(properties[key]) for key in _SUBSCRIPTION_ATTRIBUTES if key in properties},
            ReturnSubscriptionArn=True,
        )
        return Made(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """SetSubscriptionAttributes, in an order in which scope and filter policy always fit each other."""
        keys = [key for key in sorted(_SUBSCRIPTION_ATTRIBUTES) if old.get(key) != new.get(key)]
        if new.get("FilterPolicyScope") == "MessageBody":
            keys.sort(key=lambda key: key != "FilterPolicyScope")
        for key in keys:
            value = new.get(key, _WITHOUT.get(key, ""))
            await _in_region(site, new).call(
                "sns",
                "SetSubscriptionAttributes",
                SubscriptionArn=made.physical_id,
                AttributeName=key,
                AttributeValue=text_of(value),
            )
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """Unsubscribe."""
        await _in_region(site, properties).call("sns", "Unsubscribe", SubscriptionArn=made.physical_id)


def _in_region(site: Site, properties: Properties) -> Site:
    """A topic of another region is subscribed to there."""
    region = properties.get("Region", site.caller.region)
    return replace(site, caller=replace(site.caller, region=region))

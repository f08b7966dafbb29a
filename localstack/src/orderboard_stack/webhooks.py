"""Asks webhooks to confirm their subscription where CloudFormation does not: MiniStack's subscribes them in silence."""

from typing import Final

import boto3

from orderboard_stack.backend import CLIENT_CONFIG

_KEPT: Final = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")


def ask_to_confirm(session: boto3.Session, endpoint_url: str | None, topic_arn: str) -> list[str]:
    """Subscribe every webhook of the topic that is pending once more, as it was, by API; return their URLs.

    Subscribe sends the confirmation that a webhook answers: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    sns = session.client("sns", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    webhooks = [each for page in pages for each in page["Subscriptions"] if each["Protocol"] in ("http", "https")]
    asked = []
    for webhook in webhooks:
        if not webhook["SubscriptionArn"].startswith("arn:"):  # AWS's way to say that it has been asked already
            continue
        attributes = sns.get_subscription_attributes(SubscriptionArn=webhook["SubscriptionArn"])["Attributes"]
        if attributes.get("PendingConfirmation") == "false":
            continue
        sns.unsubscribe(SubscriptionArn=webhook["SubscriptionArn"])
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol=webhook["Protocol"],
            Endpoint=webhook["Endpoint"],
            Attributes={name: attributes[name] for name in _KEPT if attributes.get(name)},
        )
        asked.append(webhook["Endpoint"])
    return asked

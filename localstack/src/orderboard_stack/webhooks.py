"""Requests the confirmation of webhooks where CloudFormation does not: MiniStack's subscribes them without one."""

from typing import Final

import boto3

from orderboard_stack.clients import CLIENT_CONFIG

_KEPT: Final = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")


def request_confirmation(session: boto3.Session, endpoint_url: str | None, topic_arn: str) -> list[str]:
    """Subscribe every pending webhook of the topic again by API, with the same attributes, and return their URLs.

    Subscribe sends the confirmation request: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    sns = session.client("sns", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    webhooks = [each for page in pages for each in page["Subscriptions"] if each["Protocol"] in ("http", "https")]
    requested = []
    for webhook in webhooks:
        if not webhook["SubscriptionArn"].startswith("arn:"):  # AWS: the confirmation is pending already
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
        requested.append(webhook["Endpoint"])
    return requested

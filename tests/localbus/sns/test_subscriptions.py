"""Subscriptions as boto3 sees them: endpoints, attributes, confirmation and end, with AWS's errors.

Pages are those of https://docs.aws.amazon.com/sns/latest/api/ unless another is named; error messages were recorded of
AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, refused

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
INVALID = "InvalidParameter"
SOURCE = "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column:"


def test_a_subscription_and_its_attributes(sns: Any, topic: str) -> None:
    """A queue of the caller's account needs no confirmation (API_GetSubscriptionAttributes)."""
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)["SubscriptionArn"]

    def attributes() -> dict[str, str]:
        return dict(sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])

    def put(name: str, value: str) -> None:
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

    assert attributes() == {
        "ConfirmationWasAuthenticated": "true",
        "Endpoint": QUEUE,
        "Owner": ACCOUNT,
        "PendingConfirmation": "false",
        "Protocol": "sqs",
        "RawMessageDelivery": "false",
        "SubscriptionArn": arn,
        "SubscriptionPrincipal": f"arn:aws:iam::{ACCOUNT}:user/localbus",
        "TopicArn": topic,
    }
    put("FilterPolicyScope", "MessageBody")
    assert "FilterPolicyScope" not in attributes()
    put("FilterPolicy", '{"a": ["b"]}')
    assert attributes()["FilterPolicyScope"] == "MessageBody"
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == arn


def test_subscribing_twice(sns: Any, topic: str) -> None:
    """An endpoint has one subscription, unless the request has attributes that differ (recorded of AWS)."""
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": QUEUE}
    raw, default = {"RawMessageDelivery": "true"}, {"FilterPolicyScope": "MessageAttributes"}
    first = sns.subscribe(**given, Attributes=raw)["SubscriptionArn"]

    for attributes in (raw, default, raw | default, {}):
        assert sns.subscribe(**given, Attributes=attributes)["SubscriptionArn"] == first
    assert sns.subscribe(**given)["SubscriptionArn"] == first
    reason = "Attributes Reason: Subscription already exists with different attributes"
    error = refused(sns.subscribe, **given, Attributes={"RawMessageDelivery": "false"})
    assert error == (INVALID, f"Invalid parameter: {reason}")


def test_a_missing_parameter_is_named(localbus: Localbus) -> None:
    """The message was recorded of AWS for Unsubscribe without a parameter."""
    answer = httpx.post(localbus.url, data={"Action": "Unsubscribe", "Version": "2010-03-31"})

    assert answer.status_code == 400
    reason = "Invalid parameter: SubscriptionArn Reason: no value for required parameter"
    assert f"<Code>InvalidParameter</Code><Message>{reason}</Message>" in answer.text.replace("\n", "")


def test_ending_a_subscription(sns: Any, topic: str) -> None:
    """It can be ended twice, is missing then, and ends with its topic (API_Unsubscribe)."""
    first = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)["SubscriptionArn"]
    for _ in range(2):
        sns.unsubscribe(SubscriptionArn=first)
    error = ("NotFound", "Subscription does not exist")
    assert refused(sns.get_subscription_attributes, SubscriptionArn=first) == error
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsDeleted"] == "1"

    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)
    sns.delete_topic(TopicArn=topic)

    assert sns.list_subscriptions()["Subscriptions"] == []


def pending(localbus: Localbus, sns: Any, topic: str) -> tuple[str, str]:
    """Subscribe an e-mail address, and return the subscription's ARN and the link that confirms it."""
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
    arn = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    [captured] = httpx.get(f"{localbus.url}/_localbus/outbox").json()["letters"]
    return arn, captured["link"]


def test_a_token_confirms(localbus: Localbus, sns: Any, topic: str) -> None:
    """An e-mail address confirms with its token, within two days (API_ConfirmSubscription)."""
    arn, link = pending(localbus, sns, topic)
    token, confirm = link.rpartition("Token=")[2], sns.confirm_subscription
    [listed] = sns.list_subscriptions()["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"

    assert confirm(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")["SubscriptionArn"] == arn

    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "true")
    unsigned = httpx.get(localbus.url, params={"Action": "Unsubscribe", "SubscriptionArn": arn})
    assert unsigned.status_code == 403
    assert "AuthorizationError" in unsigned.text


def test_confirmation_checks_only_the_region_of_the_topic(localbus: Localbus, sns: Any, topic: str) -> None:
    """The link confirms for any name of the topic, and without a signature (recorded of AWS)."""
    arn, link = pending(localbus, sns, topic)
    for wrong in ("not-an-arn", topic.replace("us-east-1", "eu-central-1")):
        rejected = httpx.get(link.replace(topic, wrong))
        assert rejected.status_code == 400
        assert "<Message>Invalid parameter: Topic</Message>" in rejected.text

    confirmed = httpx.get(link.replace(topic, f"{topic}x"))

    assert f"<SubscriptionArn>{arn}</SubscriptionArn>" in confirmed.text
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "false")


def test_unconfirmed_subscriptions_expire(localbus: Localbus, sns: Any, topic: str) -> None:
    """A confirmation is possible for two days (API_ConfirmSubscription)."""
    pending(localbus, sns, topic)

    localbus.advance(2 * 86_400 - 1)
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1
    localbus.advance(1)

    assert sns.list_subscriptions()["Subscriptions"] == []


READS: dict[str, Callable[[Any, str, str], object]] = {
    "attributes": lambda sns, _topic, arn: refused(sns.get_subscription_attributes, SubscriptionArn=arn)[0],
    "number": lambda sns, topic, _arn: sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"],
    "list": lambda sns, topic, _arn: sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"],
    "change": lambda sns, _topic, arn: refused(
        sns.set_subscription_attributes,
        SubscriptionArn=arn,
        AttributeName="FilterPolicy",
        AttributeValue="",
    )[0],
}


@pytest.mark.parametrize(
    ("read", "found"), [("attributes", "NotFound"), ("number", "0"), ("list", []), ("change", "NotFound")]
)
def test_every_read_misses_an_expired_subscription(
    localbus: Localbus, sns: Any, topic: str, read: str, found: object
) -> None:
    """It is gone for the first request after its time, whichever that is, and so is its token."""
    arn, link = pending(localbus, sns, topic)
    localbus.advance(2 * 86_400)

    assert READS[read](sns, topic, arn) == found
    assert "<Message>Invalid parameter: Token</Message>" in httpx.get(link).text


def test_a_new_token_lengthens_the_time_to_confirm(localbus: Localbus, sns: Any, topic: str) -> None:
    """Another Subscribe sends a new token, which is valid for two days, and does not hold up the others' end."""
    arn, _ = pending(localbus, sns, topic)
    other = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="b@example.com", ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]
    localbus.advance(86_400)
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")

    localbus.advance(86_400)

    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "true"
    assert refused(sns.get_subscription_attributes, SubscriptionArn=other)[0] == "NotFound"


def test_a_token_restores_nothing_to_a_deleted_topic(localbus: Localbus, sns: Any, topic: str) -> None:
    """The token of a subscription that was ended before its topic is deleted becomes invalid."""
    arn, link = pending(localbus, sns, topic)
    token = link.rpartition("Token=")[2]
    sns.confirm_subscription(TopicArn=topic, Token=token)
    sns.unsubscribe(SubscriptionArn=arn)
    sns.delete_topic(TopicArn=topic)

    error = refused(sns.confirm_subscription, TopicArn=topic, Token=token)

    assert error == (INVALID, "Invalid parameter: Token")
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_subscriptions_are_listed_in_pages(sns: Any, topic: str) -> None:
    """A page has a hundred subscriptions (API_ListSubscriptionsByTopic)."""
    for number in range(101):
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=f"+1555{number:07}")

    for name, given in (("list_subscriptions", {}), ("list_subscriptions_by_topic", {"TopicArn": topic})):
        pages = [page["Subscriptions"] for page in sns.get_paginator(name).paginate(**given)]
        assert [len(page) for page in pages] == [100, 1]

"""Subscriptions as boto3 sees them: endpoints, attributes, confirmation and end, with AWS's errors.

Pages are those of https://docs.aws.amazon.com/sns/latest/api/ unless another is named; error messages were recorded of
AWS.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from localbus_support import ACCOUNT, refused

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
        "SubscriptionPrincipal": f"arn:aws:iam::{ACCOUNT}:root",
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


@pytest.mark.parametrize(
    ("protocol", "endpoint", "message"),
    [
        ("test", "x", "Invalid parameter: Amazon SNS does not support this protocol string: test"),
        ("sqs", "http://localhost/000000000000/q", "Invalid parameter: SQS endpoint ARN"),
        ("sms", "NAA+15551234567", "Invalid SMS endpoint: NAA+15551234567"),
        ("http", "https://example.com", "Invalid parameter: Endpoint must match the specified protocol"),
        (
            "sqs",
            f"{QUEUE}.fifo",
            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard "
            "SNS topics",
        ),
    ],
    ids=["unknown protocol", "queue URL", "phone number", "scheme", "FIFO queue"],
)
def test_invalid_endpoints(shared_sns: Any, shared_topic: str, protocol: str, endpoint: str, message: str) -> None:
    """The endpoint must have the form of its protocol (API_Subscribe)."""
    error = refused(shared_sns.subscribe, TopicArn=shared_topic, Protocol=protocol, Endpoint=endpoint)

    assert error == (INVALID, message)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("NoSuch", "x", "AttributeName"),
        ("RawMessageDelivery", "ValUe", "RawMessageDelivery: Invalid value [ValUe]. Must be true or false."),
        ("RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true or false."),
        (
            "FilterPolicyScope",
            "RandomValue",
            "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes",
        ),
        ("RedrivePolicy", '{"deadLetterTargetArn": "fake"}', "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
        (
            "RedrivePolicy",
            "{invalid",
            "RedrivePolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
            f"start field name\n {SOURCE} 2]",
        ),
        (
            "FilterPolicy",
            '{"object":{"key":["a"]}}',
            "Filter policy scope MessageAttributes does not support nested filter policy",
        ),
        (
            "FilterPolicy",
            '{"key_a":"value_one"}',
            f'FilterPolicy: "key_a" must be an object or an array\n {SOURCE} 11]',
        ),
    ],
)
def test_invalid_attributes(shared_sns: Any, shared_topic: str, name: str, value: str, reason: str) -> None:
    """Subscribe has the same messages, starting with Attributes (recorded of AWS)."""
    given = {"TopicArn": shared_topic, "Protocol": "sqs", "Endpoint": f"{QUEUE}-invalid"}
    if name != "NoSuch":
        error = (INVALID, f"Invalid parameter: Attributes Reason: {reason}")
        assert refused(shared_sns.subscribe, **given, Attributes={name: value}) == error
    change = {"SubscriptionArn": shared_sns.subscribe(**given)["SubscriptionArn"], "AttributeName": name}

    error = refused(shared_sns.set_subscription_attributes, **change, AttributeValue=value)

    assert error == (INVALID, f"Invalid parameter: {reason}")


def test_a_dead_letter_queue_has_the_kind_of_the_subscription(sns: Any, fifo_topic: str) -> None:
    """A FIFO subscription needs a FIFO dead-letter queue (sns-dead-letter-queues, in the guide)."""
    policy = json.dumps({"deadLetterTargetArn": QUEUE})
    given = {"TopicArn": fifo_topic, "Protocol": "sqs", "Endpoint": f"{QUEUE}.fifo"}
    reason = "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."

    assert refused(sns.subscribe, **given, Attributes={"RedrivePolicy": policy})[1].endswith(reason)


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        ("x", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:us-east-1:000000000000", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 5"),
        (f"arn:aws:sns:us-east-1:{ACCOUNT}:t:not-an-id", "SubscriptionId"),
        ("", "SubscriptionArn Reason: no value for required parameter"),
    ],
)
def test_invalid_subscription_arns(shared_sns: Any, arn: str, reason: str) -> None:
    """Another kind of ARN is rejected (API_Unsubscribe)."""
    error = (INVALID, f"Invalid parameter: {reason}")

    assert refused(shared_sns.unsubscribe, SubscriptionArn=arn) == error
    assert refused(shared_sns.get_subscription_attributes, SubscriptionArn=arn) == error


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
    assert refused(confirm, TopicArn=topic, Token="random") == (INVALID, "Invalid token")
    assert refused(confirm, TopicArn=topic, Token="abc123") == (INVALID, "Invalid parameter: Token")

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
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1

    localbus.advance(2 * 86_400)

    assert sns.list_subscriptions()["Subscriptions"] == []


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

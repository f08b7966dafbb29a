"""Subscriptions: endpoints, confirmation, attributes, end."""

from __future__ import annotations

from typing import Any

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sns_api, sns_guide

GROUP = Group("SNS", "Subscriptions")
behaviour = GROUP.behaviour
_INVALID = "InvalidParameter"
_MAIL = "a@example.com"
_QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"


def _attributes(aws: Aws, subscription: str) -> dict[str, str]:
    return dict(aws.sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"])


def _subscribed(aws: Aws, topic: str, endpoint: str = _QUEUE, protocol: str = "sqs", **given: Any) -> str:
    """Subscribe an endpoint, by default a queue, and return the subscription's ARN."""
    return str(aws.sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, **given)["SubscriptionArn"])


@behaviour(sns_api("GetSubscriptionAttributes", recorded=True))
def attributes_of_a_queue_s(aws: Aws) -> None:
    """A queue of the same account is confirmed immediately, and its subscription shows that."""
    topic = aws.topic()
    arn = _subscribed(aws, topic)

    shown = _attributes(aws, arn)
    shown.pop("SubscriptionPrincipal", None)

    wanted = {
        "ConfirmationWasAuthenticated": "true",
        "Endpoint": _QUEUE,
        "Owner": ACCOUNT,
        "PendingConfirmation": "false",
        "Protocol": "sqs",
        "RawMessageDelivery": "false",
        "SubscriptionArn": arn,
        "TopicArn": topic,
    }
    differs = {key for key in wanted | shown if wanted.get(key) != shown.get(key)}
    holds(not differs, f"differs in {sorted(differs)}")


@behaviour(sns_api("Subscribe", recorded=True))
def subscribed_again(aws: Aws) -> None:
    """An endpoint has one subscription; subscribing again returns the same ARN."""
    topic = aws.topic()

    first, again = _subscribed(aws, topic), _subscribed(aws, topic)

    holds(first == again, "gives another ARN")


@behaviour(sns_api("Subscribe", recorded=True))
def subscribed_with_a_default(aws: Aws) -> None:
    """Subscribing again with a default attribute (FilterPolicyScope MessageAttributes) returns the same ARN."""
    topic = aws.topic()
    first = _subscribed(aws, topic)

    again = _subscribed(aws, topic, Attributes={"FilterPolicyScope": "MessageAttributes"})

    holds(first == again, "gives another ARN")


@behaviour(sns_api("Subscribe", recorded=True))
def subscribed_differently(aws: Aws) -> None:
    """Subscribing again with other attributes is rejected."""
    topic = aws.topic()
    _subscribed(aws, topic, Attributes={"RawMessageDelivery": "true"})
    other = {"aws": aws, "topic": topic, "Attributes": {"RawMessageDelivery": "false"}}

    refused(_INVALID, _subscribed, says="Subscription already exists with different attributes", **other)


def _endpoint(key: str, statement: str, protocol: str, endpoint: str) -> None:
    def check(aws: Aws) -> None:
        refused(_INVALID, _subscribed, aws=aws, topic=aws.topic(), protocol=protocol, endpoint=endpoint)

    GROUP.add(key, f"{statement} is rejected", sns_api("Subscribe", recorded=True), check)


_endpoint("unknown_protocol", "An unknown protocol", "test", "x")
_endpoint("queue_by_url", "A queue by its URL instead of its ARN", "sqs", f"http://localhost/{ACCOUNT}/q")
_endpoint("other_scheme", "An https address with the protocol http", "http", "https://example.com")
_endpoint("bad_number", "An invalid phone number", "sms", "NAA+15551234567")
_endpoint("fifo_queue", "A FIFO queue for a standard topic", "sqs", f"{_QUEUE}.fifo")


def _attribute(key: str, statement: str, name: str, value: str, says: str = "") -> None:
    def check(aws: Aws) -> None:
        given = {"SubscriptionArn": _subscribed(aws, aws.topic()), "AttributeName": name, "AttributeValue": value}
        refused(_INVALID, aws.sns.set_subscription_attributes, says=says, **given)

    GROUP.add(key, f"{statement} is rejected", sns_api("SetSubscriptionAttributes", recorded=True), check)


_attribute("unknown_attribute", "An unknown attribute", "NoSuch", "x", "AttributeName")
_attribute("raw_maybe", "RawMessageDelivery other than true and false", "RawMessageDelivery", "ValUe")
_attribute("scope", "An unknown FilterPolicyScope", "FilterPolicyScope", "RandomValue")
_attribute(
    "no_dead_letter_arn", "A dead-letter queue that is not an ARN", "RedrivePolicy", '{"deadLetterTargetArn": "fake"}'
)
_attribute("redrive_json", "A redrive policy that is not JSON", "RedrivePolicy", "{invalid")
_attribute("filter_json", "A filter policy that is not JSON", "FilterPolicy", "{invalid")


@behaviour(sns_guide("sns-dead-letter-queues", recorded=True))
def fifo_dead_letters(aws: Aws) -> None:
    """A FIFO queue's subscription to a FIFO topic needs a FIFO dead-letter queue."""
    given = {"endpoint": f"{_QUEUE}.fifo", "RedrivePolicy": {"deadLetterTargetArn": _QUEUE}}
    refused(_INVALID, aws.subscribe, says="must use a FIFO queue", topic=aws.fifo_topic(), **given)


@behaviour(sns_guide("sns-message-filtering-scope", recorded=True))
def scope_with_its_policy(aws: Aws) -> None:
    """The scope is shown together with a filter policy: MessageAttributes by default."""
    arn = _subscribed(aws, aws.topic())
    holds("FilterPolicyScope" not in _attributes(aws, arn), "shows a scope without a policy")

    given = {"AttributeName": "FilterPolicy", "AttributeValue": '{"a": ["b"]}'}
    aws.sns.set_subscription_attributes(SubscriptionArn=arn, **given)

    same("shows", _attributes(aws, arn).get("FilterPolicyScope"), "MessageAttributes")


@behaviour(sns_api("Subscribe"))
def mail_waits(aws: Aws) -> None:
    """An e-mail address is pending until it is confirmed, and has no ARN in the answer and the list."""
    topic = aws.topic()

    answer = _subscribed(aws, topic, _MAIL, "email")
    [listed] = aws.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]

    same("answers", answer, "pending confirmation")
    same("lists", listed["SubscriptionArn"], "PendingConfirmation")


@behaviour(sns_api("Subscribe"))
def arn_on_request(aws: Aws) -> None:
    """With ReturnSubscriptionArn the ARN of a pending subscription is returned."""
    arn = _subscribed(aws, aws.topic(), _MAIL, "email", ReturnSubscriptionArn=True)

    holds(arn.startswith("arn:"), f"gives {arn}")
    same("shows", _attributes(aws, arn)["PendingConfirmation"], "true")


@behaviour(sns_api("ConfirmSubscription", recorded=True))
def wrong_token(aws: Aws) -> None:
    """An invalid token is rejected."""
    refused(_INVALID, aws.sns.confirm_subscription, TopicArn=aws.topic(), Token="random")


@behaviour(sns_api("Unsubscribe", recorded=True))
def ended_twice(aws: Aws) -> None:
    """A subscription can be ended twice, and is NotFound then."""
    arn = _subscribed(aws, aws.topic())

    for _ in range(2):
        aws.sns.unsubscribe(SubscriptionArn=arn)

    refused("NotFound", aws.sns.get_subscription_attributes, SubscriptionArn=arn)


@behaviour(sns_api("Unsubscribe", recorded=True))
def ended_by_nonsense(aws: Aws) -> None:
    """Unsubscribe rejects another kind of ARN."""
    refused(_INVALID, aws.sns.unsubscribe, SubscriptionArn="x")


@behaviour(sns_api("GetTopicAttributes"))
def counted(aws: Aws) -> None:
    """A topic counts its confirmed, pending and deleted subscriptions."""
    topic = aws.topic()
    ended = _subscribed(aws, topic, f"{_QUEUE}1")
    _subscribed(aws, topic)
    _subscribed(aws, topic, _MAIL, "email")
    aws.sns.unsubscribe(SubscriptionArn=ended)

    shown = aws.topic_attributes(topic)

    same("counts", [shown[f"Subscriptions{name}"] for name in ("Confirmed", "Pending", "Deleted")], ["1", "1", "1"])


@behaviour(sns_api("ListSubscriptionsByTopic"))
def listed_by_pages(aws: Aws) -> None:
    """Subscriptions of a topic are listed a hundred a page."""
    topic = aws.topic()
    for number in range(101):
        _subscribed(aws, topic, f"+1555{number:07}", "sms")

    pages = aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)

    same("gives pages of", [len(page["Subscriptions"]) for page in pages], [100, 1])


@behaviour(sns_api("Subscribe", recorded=True))
def topic_that_is_not_there(aws: Aws) -> None:
    """Subscribing to a topic that does not exist is NotFound."""
    refused("NotFound", aws.sns.subscribe, TopicArn=f"{aws.topic()}-not", Protocol="sqs", Endpoint=_QUEUE)


@behaviour(sns_api("GetSubscriptionAttributes", recorded=True))
def principal(aws: Aws) -> None:
    """SubscriptionPrincipal is the ARN of a user or role, not of the account's root."""
    found = _attributes(aws, _subscribed(aws, aws.topic())).get("SubscriptionPrincipal", "")

    holds(":user/" in found or "role/" in found, f"shows {found!r}")


@behaviour(sns_api("Subscribe"), differs="Firehose is not built: use another engine for delivery streams")
def to_a_delivery_stream(aws: Aws) -> None:
    """A delivery stream of Firehose can subscribe."""
    stream, role = f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s", f"arn:aws:iam::{ACCOUNT}:role/r"
    given = {"Attributes": {"SubscriptionRoleArn": role}}

    holds(_subscribed(aws, aws.topic(), stream, "firehose", **given), "gives no ARN")

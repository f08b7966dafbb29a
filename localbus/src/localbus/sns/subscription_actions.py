"""The actions of SNS that are about subscriptions: subscribe, confirm, change, list and end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localbus.errors import AwsError, not_implemented
from localbus.ids import new_id
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns import subscription_attributes
from localbus.sns.errors import invalid, no_subscription, not_authorized
from localbus.sns.notification import confirmation
from localbus.sns.subscription import Subscription, new_token
from localbus.sns.topic import Topic
from localbus.sns.topic_archive import read_replay_policy

if TYPE_CHECKING:
    from localbus.sns.state import Sns

PROTOCOLS = ("sqs", "lambda", "http", "https", "email", "email-json", "sms", "application")
_KNOWN_NOT_BUILT = {"firehose"}
_TO_CONFIRM = {"http", "https", "email", "email-json"}
_PHONE = re.compile(r"\+?[0-9](?:[-./ ()]?[0-9]){1,19}")
_ARNS = {
    "sqs": re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(?:\.fifo)?"),
    "lambda": re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?"),
}
# https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
_LARGE_BYTES, _MOST_WITH_LARGE, _PROTOCOLS_WITH_LARGE = 262_144, 100, {"sqs", "lambda"}


def subscribe(sns: Sns, params: Params, caller: Caller) -> Params:
    """Subscribe."""
    topic = sns.find(params["TopicArn"], caller, "Subscribe")
    protocol, endpoint = params["Protocol"], params.get("Endpoint", "")
    _check_endpoint(protocol, endpoint, topic)
    if protocol == "application" and sns.platforms.find_endpoint(endpoint) is None:
        raise invalid(f"Endpoint Reason: Endpoint does not exist for endpoint arn{endpoint}")  # so it is spelt
    given = params.get("Attributes", {})
    where = "Attributes Reason: "
    attributes, policy = subscription_attributes.merged(
        {}, given, topic=topic, protocol=protocol, endpoint=endpoint, where=where
    )
    existing = _existing(topic, protocol, endpoint)
    if existing is not None:
        if any(existing.attribute(name) != value for name, value in attributes.items()):
            raise invalid(f"{where}Subscription already exists with different attributes")
        if not existing.confirmed:
            _send_confirmation(sns, existing, caller, "SubscriptionConfirmation")
        return _subscribed(existing, params)
    subscription = sns.topics.subscribe(topic, protocol, endpoint, caller.account)
    subscription.attributes, subscription.filter_policy = attributes, policy
    subscription.confirmed = not _must_confirm(protocol, endpoint, caller)
    sns.topics.add(subscription)
    if not subscription.confirmed:
        _send_confirmation(sns, subscription, caller, "SubscriptionConfirmation")
    _replay(sns, subscription, given)
    return _subscribed(subscription, params)


def confirm_subscription(sns: Sns, params: Params, caller: Caller) -> Params:
    """ConfirmSubscription; also brings back one that was ended by whoever got the confirmation of that.

    The token is enough: of the topic's ARN only the region must be right (recorded of AWS).
    """
    subscription = sns.topics.by_token(params["Token"])
    if params["TopicArn"].split(":")[3:4] != [subscription.topic.region]:
        raise invalid("Topic")
    if not subscription.confirmed:
        subscription.confirmed, subscription.authenticated = True, caller.signed
    flag = params.get("AuthenticateOnUnsubscribe", "false").lower()
    if flag not in {"true", "false"}:
        raise invalid("AuthenticateOnUnsubscribe Reason: must be true or false")
    subscription.authenticate_on_unsubscribe = flag == "true" and caller.signed
    sns.topics.add(subscription)
    return {"SubscriptionArn": subscription.arn}


def unsubscribe(sns: Sns, params: Params, caller: Caller) -> Params:
    """Unsubscribe; a subscription that is not there is ended already.

    Unless it was its owner, who was subscribed is told, and how to undo it.
    """
    subscription = sns.topics.find_subscription(params["SubscriptionArn"])
    if subscription is None:
        return {}
    if subscription.authenticate_on_unsubscribe and (
        not caller.signed or caller.account not in {subscription.owner, subscription.topic.account}
    ):
        raise not_authorized(caller.account, "Unsubscribe", subscription.arn)
    sns.topics.remove(subscription)
    by_owner = caller.signed and caller.account == subscription.owner
    if subscription.protocol in _TO_CONFIRM and subscription.confirmed and not by_owner:
        _send_confirmation(sns, subscription, caller, "UnsubscribeConfirmation")
    return {}


def get_subscription_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetSubscriptionAttributes."""
    return {"Attributes": subscription_attributes.show(_own(sns, params, caller))}


def set_subscription_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetSubscriptionAttributes."""
    subscription = _own(sns, params, caller)
    given = {params["AttributeName"]: params.get("AttributeValue", "")}
    subscription.attributes, subscription.filter_policy = subscription_attributes.merged(
        subscription.attributes,
        given,
        topic=subscription.topic,
        protocol=subscription.protocol,
        endpoint=subscription.endpoint,
    )
    _replay(sns, subscription, given)
    return {}


def list_subscriptions(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListSubscriptions."""
    own = [
        one for one in sns.topics.subscriptions() if (one.owner, one.topic.region) == (caller.account, caller.region)
    ]
    return _page(own, params)


def list_subscriptions_by_topic(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListSubscriptionsByTopic."""
    topic = sns.find(params["TopicArn"], caller, "ListSubscriptionsByTopic")
    return _page([one for one in sns.topics.subscriptions() if one.topic is topic], params)


def _page(subscriptions: list[Subscription], params: Params) -> Params:
    return list_page("Subscriptions", subscriptions, params, key=lambda one: one.arn, show=_listed)


def _listed(subscription: Subscription) -> Params:
    return {
        "SubscriptionArn": subscription.arn if subscription.confirmed else "PendingConfirmation",
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic.arn,
    }


def _own(sns: Sns, params: Params, caller: Caller) -> Subscription:
    subscription = sns.topics.subscription(params["SubscriptionArn"])
    if subscription.topic.region != caller.region:
        raise no_subscription()
    if caller.account not in {subscription.owner, subscription.topic.account}:
        raise not_authorized(caller.account, "GetSubscriptionAttributes", subscription.arn)
    return subscription


def _existing(topic: Topic, protocol: str, endpoint: str) -> Subscription | None:
    for subscription in topic.subscriptions.values():
        if (subscription.protocol, subscription.endpoint) == (protocol, endpoint):
            return subscription
    return None


def _subscribed(subscription: Subscription, params: Params) -> Params:
    """The ARN, which those who wait for a confirmation only get when they ask for it."""
    shown = subscription.confirmed or params.get("ReturnSubscriptionArn")
    return {"SubscriptionArn": subscription.arn if shown else "pending confirmation"}


def _check_endpoint(protocol: str, endpoint: str, topic: Topic) -> None:
    if protocol in _KNOWN_NOT_BUILT:
        raise not_implemented("sns", f"Subscribe to {protocol}")
    if protocol not in PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if protocol in {"http", "https"} and not re.match(rf"{protocol}://[^/\s]+", endpoint):
        raise invalid("Endpoint must match the specified protocol")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
        raise invalid("Email address")
    if protocol == "sms" and not _PHONE.fullmatch(endpoint):
        raise AwsError("InvalidParameterException", f"Invalid SMS endpoint: {endpoint}")
    if protocol in _ARNS and not _ARNS[protocol].fullmatch(endpoint):
        raise invalid(f"{'SQS' if protocol == 'sqs' else 'Lambda'} endpoint ARN")
    if not topic.fifo and protocol == "sqs" and endpoint.endswith(".fifo"):
        raise invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        )
    if topic.fifo and protocol != "sqs":
        raise invalid("Protocol Reason: a FIFO topic delivers to SQS queues only")
    if topic.max_message_bytes > _LARGE_BYTES:
        if protocol not in _PROTOCOLS_WITH_LARGE:
            raise invalid(f"Protocol Reason: {protocol} does not take messages of more than {_LARGE_BYTES} bytes")
        if len(topic.subscriptions) >= _MOST_WITH_LARGE:
            raise invalid(f"TopicArn Reason: a topic for large messages has at most {_MOST_WITH_LARGE} subscriptions")


def _must_confirm(protocol: str, endpoint: str, caller: Caller) -> bool:
    """Whether the other side is asked: always by HTTP and mail, and for a queue or function of another account."""
    return protocol in _TO_CONFIRM or (protocol in _ARNS and endpoint.split(":")[4] != caller.account)


def _send_confirmation(sns: Sns, subscription: Subscription, caller: Caller, kind: str) -> None:
    sns.topics.renew_token(subscription, new_token())
    document = confirmation(
        kind,
        subscription.topic.arn,
        subscription.arn,
        subscription.token,
        message_id=new_id(),
        at=sns.clock.now(),
        base_url=caller.base_url,
    )
    sns.publisher.confirm(subscription, document, caller.base_url)


def _replay(sns: Sns, subscription: Subscription, given: Params) -> None:
    """Deliver anew what the topic has archived, where a replay is asked for."""
    archive, text = subscription.topic.archive, given.get("ReplayPolicy")
    if archive is not None and text:
        for notification in archive.between(read_replay_policy(text), sns.clock.now()):
            sns.publisher.deliver(subscription, notification, replayed=True)

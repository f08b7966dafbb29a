"""The protocol, endpoint and attributes of a subscription: valid values, and descriptions.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
and https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from localbus.errors import AwsError, not_implemented
from localbus.input_values import read_json
from localbus.protocol.service import Caller
from localbus.sns.delivery_policy import read_subscription_policy
from localbus.sns.errors import invalid
from localbus.sns.filter_policy import FilterPolicyError, syntax_error
from localbus.sns.subscription import Subscription
from localbus.sns.topic import Topic

PROTOCOLS = ("sqs", "lambda", "http", "https", "email", "email-json", "sms", "application")
CONFIRMED_BY_LINK = {"http", "https", "email", "email-json"}
_NOT_IMPLEMENTED = {"firehose"}
_PHONE = re.compile(r"\+?[0-9](?:[-./ ()]?[0-9]){1,19}")
_ARNS = {
    "sqs": re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(?:\.fifo)?"),
    "lambda": re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?"),
}
# https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
_LARGE_BYTES, _MOST_WITH_LARGE, _PROTOCOLS_WITH_LARGE = 262_144, 100, {"sqs", "lambda"}
_KNOWN = {
    *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy"),
    "SubscriptionRoleArn",
}
_SCOPES = ("MessageBody", "MessageAttributes")
_WITH_RAW = {"sqs", "http", "https", "firehose"}
_INVALID = "Invalid parameter: "


def check_endpoint(protocol: str, endpoint: str, topic: Topic, subscriptions: int) -> None:
    """Raise AwsError unless a topic with so many subscriptions can have this one."""
    if protocol in _NOT_IMPLEMENTED:
        raise not_implemented("sns", f"Subscribe to {protocol}")
    if protocol not in PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if protocol in {"http", "https"} and not re.fullmatch(rf"{protocol}://[^/\s]+(?:/\S*)?", endpoint):
        raise invalid("Endpoint must match the specified protocol")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
        raise invalid("Email address")
    if protocol == "sms" and not _PHONE.fullmatch(endpoint):
        raise AwsError("InvalidParameterException", f"Invalid SMS endpoint: {endpoint}")
    if protocol in _ARNS and not _ARNS[protocol].fullmatch(endpoint):
        raise invalid(f"{'SQS' if protocol == 'sqs' else 'Lambda'} endpoint ARN")
    if not topic.fifo and protocol == "sqs" and endpoint.endswith(".fifo"):
        reason = "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        raise invalid(f"Invalid parameter: {reason}")  # so AWS spells it
    if topic.fifo and protocol != "sqs":
        raise invalid("Protocol Reason: a FIFO topic delivers to SQS queues only")
    if topic.max_message_bytes > _LARGE_BYTES:
        if protocol not in _PROTOCOLS_WITH_LARGE:
            raise invalid(f"Protocol Reason: {protocol} does not take messages of more than {_LARGE_BYTES} bytes")
        if subscriptions >= _MOST_WITH_LARGE:
            raise invalid(f"TopicArn Reason: a topic for large messages has at most {_MOST_WITH_LARGE} subscriptions")


def must_confirm(protocol: str, endpoint: str, caller: Caller) -> bool:
    """Return whether the endpoint has to confirm: by HTTP and e-mail, and a queue or function of another account."""
    return protocol in CONFIRMED_BY_LINK or (protocol in _ARNS and endpoint.split(":")[4] != caller.account)


def change(subscription: Subscription, given: Mapping[str, str], *, where: str = "") -> None:
    """Set the attributes that are given; an empty value deletes one.

    Raises InvalidParameter, whose reason starts with `where`, and then changes nothing.
    """
    try:
        attributes = dict(subscription.attributes)
        for name, value in given.items():
            if name not in _KNOWN:
                raise invalid(f"Unknown attribute {name}" if where else "AttributeName")
            attributes[name] = _validated(name, value, subscription)
            if attributes[name] == "":
                del attributes[name]
        subscription.set_attributes(attributes)
    except FilterPolicyError as exc:
        raise invalid(f"{where}{exc}") from exc
    except AwsError as exc:
        raise invalid(f"{where}{exc.message.removeprefix(_INVALID)}") from exc


def _validated(name: str, value: str, subscription: Subscription) -> str:
    """Return the value in the form that AWS stores."""
    protocol = subscription.protocol
    match name:
        case "RawMessageDelivery":
            return _validated_raw(value, protocol)
        case "FilterPolicyScope":
            if value not in _SCOPES:
                raise invalid(f"{name}: Invalid value [{value}]. Please use either {' or '.join(_SCOPES)}")
        case "FilterPolicy" | "ReplayPolicy" if value.strip() == "{}":
            return ""
        case "RedrivePolicy" if value:
            return _validated_redrive_policy(value, subscription)
        case "DeliveryPolicy" if value:
            if protocol not in {"http", "https"}:
                raise invalid("Delivery policy is only supported for HTTP subscriptions")
            return read_subscription_policy(value)
        case "ReplayPolicy" if value:
            if not subscription.topic.fifo:
                raise invalid("ReplayPolicy: only subscriptions of FIFO topics can replay messages")
    return value


def _validated_raw(value: str, protocol: str) -> str:
    lowered = value.lower()
    if lowered not in {"true", "false"}:
        raise invalid(f"RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if lowered == "true" and protocol not in _WITH_RAW:
        raise invalid(f"Delivery protocol [{protocol}] does not support raw message delivery.")
    return lowered


def _validated_redrive_policy(text: str, subscription: Subscription) -> str:
    """Source: https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html."""
    topic, to_fifo = subscription.topic, subscription.endpoint.endswith(".fifo")
    try:
        document = read_json(text)
    except (ValueError, RecursionError) as exc:
        raise invalid(f"RedrivePolicy: failed to parse JSON. {syntax_error(text) or ''}") from exc
    if document == {}:
        return ""
    arn = document.get("deadLetterTargetArn") if isinstance(document, dict) else None
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[:1] != ["arn"] or parts[2] != "sqs":
        raise invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if topic.fifo and to_fifo and not parts[5].endswith(".fifo"):
        raise invalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
    if not to_fifo and parts[5].endswith(".fifo"):
        raise invalid("RedrivePolicy: must use a standard queue as DLQ for a subscription that is not FIFO.")
    if (parts[4], parts[3]) != (topic.account, topic.region):
        raise invalid("RedrivePolicy: deadLetterTargetArn must be in the account and region of the topic")
    return text


def describe(subscription: Subscription, now: float) -> dict[str, str]:
    """Return what GetSubscriptionAttributes shows."""
    described = {
        "SubscriptionArn": subscription.arn,
        "TopicArn": subscription.topic.arn,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.shown_endpoint,
        "Owner": subscription.owner,
        "SubscriptionPrincipal": subscription.principal_arn,
        "PendingConfirmation": str(not subscription.confirmed).lower(),
        "ConfirmationWasAuthenticated": str(subscription.confirmed and subscription.authenticated).lower(),
        "RawMessageDelivery": "false",
        **subscription.attributes,
    }
    described.pop("FilterPolicyScope", None)
    if subscription.filter_policy is not None:
        described["FilterPolicyScope"] = subscription.filter_policy.scope
    if subscription.replay_policy is not None:
        described["ReplayStatus"] = subscription.replay_policy.status(now)
    if subscription.protocol in {"http", "https"}:
        policy = subscription.effective_delivery_policy
        described["EffectiveDeliveryPolicy"] = json.dumps(policy, separators=(",", ":"))
    return described

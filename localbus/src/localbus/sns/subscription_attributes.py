"""A subscription's attributes: which there are, what they may be, and how they are shown.

Source: https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from localbus.errors import AwsError
from localbus.sns.delivery_policy import read_subscription_policy
from localbus.sns.errors import invalid
from localbus.sns.filter_policy import FilterPolicy, FilterPolicyError, Scope
from localbus.sns.subscription import Subscription
from localbus.sns.topic import Topic
from localbus.sns.topic_archive import read_replay_policy

KNOWN = {
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
}
_SCOPES = ("MessageBody", "MessageAttributes")
_WITH_RAW = {"sqs", "http", "https", "firehose"}
_INVALID = "Invalid parameter: "


def merged(
    current: Mapping[str, str],
    given: Mapping[str, str],
    *,
    topic: Topic,
    protocol: str,
    endpoint: str,
    where: str = "",
) -> tuple[dict[str, str], FilterPolicy | None]:
    """The attributes after a change, and the filter policy. `where` begins the reason of an error."""
    try:
        kept = dict(current)
        for name, value in given.items():
            if name not in KNOWN:
                raise invalid(f"Unknown attribute {name}" if where else "AttributeName")
            kept[name] = _checked(name, value, topic, protocol, endpoint)
            if kept[name] == "":
                del kept[name]
        return kept, _filter_policy(kept)
    except FilterPolicyError as exc:
        raise invalid(f"{where}{exc}") from exc
    except AwsError as exc:
        raise invalid(f"{where}{exc.message.removeprefix(_INVALID)}") from exc


def _checked(name: str, value: str, topic: Topic, protocol: str, endpoint: str) -> str:
    """The value in the form in which it is kept; empty takes the attribute away."""
    match name:
        case "RawMessageDelivery":
            return _checked_raw(value, protocol)
        case "FilterPolicyScope":
            if value not in _SCOPES:
                raise invalid(f"{name}: Invalid value [{value}]. Please use either {' or '.join(_SCOPES)}")
        case "FilterPolicy" if value.strip() == "{}":
            return ""
        case "RedrivePolicy" if value:
            return _checked_redrive_policy(value, topic, endpoint)
        case "DeliveryPolicy" if value:
            if protocol not in {"http", "https"}:
                raise invalid("Delivery policy is only supported for HTTP subscriptions")
            return read_subscription_policy(value)
        case "ReplayPolicy" if value:
            if not topic.fifo:
                raise invalid("ReplayPolicy: only subscriptions of FIFO topics can replay messages")
            read_replay_policy(value)
    return value


def _checked_raw(value: str, protocol: str) -> str:
    lowered = value.lower()
    if lowered not in {"true", "false"}:
        raise invalid(f"RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if lowered == "true" and protocol not in _WITH_RAW:
        raise invalid(f"Delivery protocol [{protocol}] does not support raw message delivery.")
    return lowered


def _checked_redrive_policy(text: str, topic: Topic, endpoint: str) -> str:
    """Source: https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise invalid(f"RedrivePolicy: failed to parse JSON. {_syntax_error(text)}") from exc
    if document == {}:
        return ""
    arn = document.get("deadLetterTargetArn") if isinstance(document, dict) else None
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[:1] != ["arn"] or parts[2] != "sqs":
        raise invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if topic.fifo and endpoint.endswith(".fifo") and not parts[5].endswith(".fifo"):
        raise invalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
    if not endpoint.endswith(".fifo") and parts[5].endswith(".fifo"):
        raise invalid("RedrivePolicy: must use a standard queue as DLQ for a subscription that is not FIFO.")
    if (parts[4], parts[3]) != (topic.account, topic.region):
        raise invalid("RedrivePolicy: deadLetterTargetArn must be in the account and region of the topic")
    return text


def _syntax_error(text: str) -> str:
    """What is wrong with a JSON text, in AWS's words."""
    try:
        FilterPolicy(text, "MessageBody")
    except FilterPolicyError as exc:
        return str(exc).removeprefix("FilterPolicy: failed to parse JSON. ")
    return ""


def _filter_policy(kept: Mapping[str, str]) -> FilterPolicy | None:
    text = kept.get("FilterPolicy")
    if not text:
        return None
    return FilterPolicy(text, cast(Scope, kept.get("FilterPolicyScope", "MessageAttributes")))


def show(subscription: Subscription) -> dict[str, str]:
    """Everything that GetSubscriptionAttributes tells."""
    shown = {
        "SubscriptionArn": subscription.arn,
        "TopicArn": subscription.topic.arn,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "Owner": subscription.owner,
        "SubscriptionPrincipal": f"arn:aws:iam::{subscription.owner}:root",
        "PendingConfirmation": str(not subscription.confirmed).lower(),
        "ConfirmationWasAuthenticated": str(subscription.confirmed and subscription.authenticated).lower(),
        "RawMessageDelivery": "false",
        **subscription.attributes,
    }
    shown.pop("FilterPolicyScope", None)
    if subscription.filter_policy is not None:
        shown["FilterPolicyScope"] = subscription.filter_policy.scope
    if subscription.protocol in {"http", "https"}:
        effective: Any = subscription.effective_delivery_policy
        shown["EffectiveDeliveryPolicy"] = json.dumps(effective, separators=(",", ":"))
    return shown

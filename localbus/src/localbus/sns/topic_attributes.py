"""A topic's attributes: which there are, what they may be, and how they are shown.

Source: https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from localbus.sns.delivery_policy import effective_topic_policy, read_topic_policy
from localbus.sns.errors import invalid
from localbus.sns.permissions import check_policy, default_policy
from localbus.sns.topic import Topic

_FIFO_ONLY = {"FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"}
_PLAIN = {"DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion", "MaximumMessageSize"}
_FEEDBACK = re.compile(
    r"(?:HTTP|Firehose|Lambda|Application|SQS)(?:SuccessFeedbackRoleArn|SuccessFeedbackSampleRate|FailureFeedbackRoleArn)"
)
_CHOICES = {
    "FifoTopic": {"true", "false"},
    "ContentBasedDeduplication": {"true", "false"},
    "FifoThroughputScope": {"Topic", "MessageGroup"},
    "SignatureVersion": {"1", "2"},
    "TracingConfig": {"PassThrough", "Active"},
}
MAX_DISPLAY_NAME = 100
# https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
MESSAGE_SIZES = range(1024, 1_048_577)


def is_known(name: str) -> bool:
    """Whether a topic can have such an attribute."""
    return name in _PLAIN | _FIFO_ONLY | {"Policy", "DeliveryPolicy"} or _FEEDBACK.fullmatch(name) is not None


def checked(given: Mapping[str, str], *, fifo: bool, where: str = "") -> dict[str, str]:
    """The attributes in AWS's own form; `where` begins the reason of an error, as CreateTopic has it."""
    return {name: _checked(name, value, fifo, where) for name, value in given.items()}


def _checked(name: str, value: str, fifo: bool, where: str) -> str:
    if not is_known(name) or (name in _FIFO_ONLY - {"FifoTopic"} and not fifo):
        raise invalid(f"{where}Unknown attribute {name}" if where else "AttributeName")
    lowered = value.lower() if value.lower() in {"true", "false"} else value
    choices = _CHOICES.get(name)
    if choices and lowered not in choices:
        raise invalid(f"{where}{name}: Invalid value [{value}]. Must be one of {', '.join(sorted(choices))}.")
    if name == "DisplayName" and len(value) > MAX_DISPLAY_NAME:
        raise invalid(f"{where}DisplayName")
    if name == "MaximumMessageSize" and not (value.isdigit() and len(value) < 9 and int(value) in MESSAGE_SIZES):
        raise invalid(f"{where}MaximumMessageSize must be between 1024 and 1048576")
    if name == "Policy" and value:
        check_policy(value)
    if name == "DeliveryPolicy" and value:
        return read_topic_policy(value)
    if name == "ArchivePolicy" and value:
        _check_archive_policy(value)
    return lowered


def _check_archive_policy(text: str) -> None:
    """A retention of 1 to 365 days, or {} for none.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-topic-owner.html
    """
    try:
        policy = json.loads(text)
        days = int(policy["MessageRetentionPeriod"]) if policy else 1
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise invalid("ArchivePolicy: MessageRetentionPeriod must be a number of days") from exc
    if not 1 <= days <= 365:
        raise invalid("ArchivePolicy: MessageRetentionPeriod must be between 1 and 365")


def show(topic: Topic) -> dict[str, str]:
    """Everything that GetTopicAttributes tells."""
    pending = sum(not one.confirmed for one in topic.subscriptions.values())
    kept = {name: value for name, value in topic.attributes.items() if value != ""}
    if kept.get("FifoTopic") == "false":
        del kept["FifoTopic"]
    shown = {
        "TopicArn": topic.arn,
        "Owner": topic.account,
        "DisplayName": "",
        "Policy": default_policy(topic.arn, topic.account),
        "SubscriptionsConfirmed": str(len(topic.subscriptions) - pending),
        "SubscriptionsDeleted": str(topic.subscriptions_deleted),
        "SubscriptionsPending": str(pending),
        "EffectiveDeliveryPolicy": _text(effective_topic_policy(kept.get("DeliveryPolicy", ""))),
    }
    if topic.fifo:
        shown["ContentBasedDeduplication"] = "false"
    if topic.archive is not None and topic.archive.began_at is not None:
        shown["BeginningArchiveTime"] = topic.archive.beginning()
    return shown | kept


def _text(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))

"""The attributes of a topic: their names, valid values, and descriptions.

Source: https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from localbus.input_values import read_json
from localbus.sns.delivery_policy import effective_topic_policy, read_topic_policy
from localbus.sns.errors import invalid
from localbus.sns.notification import timestamp
from localbus.sns.permissions import check_policy
from localbus.sns.topic import Topic

_FIFO_ONLY = {"ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"}
_KNOWN = {
    *("DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion", "MaximumMessageSize", "Policy"),
    *("DeliveryPolicy", "FifoTopic", *_FIFO_ONLY),
}
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


def validated(given: Mapping[str, str], *, fifo: bool, where: str = "") -> dict[str, str]:
    """Return the attributes in AWS's own form; raises InvalidParameter, whose reason starts with `where`."""
    return {name: _validated(name, value, fifo, where) for name, value in given.items()}


def _validated(name: str, value: str, fifo: bool, where: str) -> str:
    known = name in _KNOWN or _FEEDBACK.fullmatch(name)
    if not known or (name in _FIFO_ONLY and not fifo):
        raise invalid(f"{where}Unknown attribute {name}" if where else "AttributeName")
    lowered = value.lower() if value.lower() in {"true", "false"} else value
    choices = _CHOICES.get(name)
    if choices and lowered not in choices:
        raise invalid(f"{where}{name}: Invalid value [{value}]. Must be one of {', '.join(sorted(choices))}.")
    match name:
        case "DisplayName" if len(value) > MAX_DISPLAY_NAME:
            raise invalid(f"{where}DisplayName")
        case "MaximumMessageSize" if not (re.fullmatch("[0-9]{1,8}", value) and int(value) in MESSAGE_SIZES):
            raise invalid(f"{where}MaximumMessageSize must be between 1024 and 1048576")
        case _ if value and name.endswith("SampleRate") and not re.fullmatch("[0-9]{1,2}|100", value):
            raise invalid(f"{where}{name}: Invalid value [{value}]. Must be between 0 and 100.")
        case "Policy" if value:
            check_policy(value)
        case "DeliveryPolicy" if value:
            return read_topic_policy(value)
        case "ArchivePolicy" if value:
            _check_archive_policy(value)
    return lowered


def _check_archive_policy(text: str) -> None:
    """Require a retention of 1 to 365 days, or {} for no archive.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-topic-owner.html
    """
    try:
        policy = read_json(text)
        days = str(policy["MessageRetentionPeriod"]) if policy else "1"
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise invalid("ArchivePolicy: MessageRetentionPeriod must be a number of days") from exc
    if not (re.fullmatch("[0-9]{1,3}", days) and 1 <= int(days) <= 365):
        raise invalid("ArchivePolicy: MessageRetentionPeriod must be between 1 and 365")


def describe(topic: Topic, now: float) -> dict[str, str]:
    """Return what GetTopicAttributes shows, without the numbers of subscriptions."""
    attributes = {name: value for name, value in topic.attributes.items() if value != ""}
    if attributes.get("FifoTopic") == "false":
        del attributes["FifoTopic"]
    policy = effective_topic_policy(attributes.get("DeliveryPolicy", ""))
    computed = {
        "TopicArn": topic.arn,
        "Owner": topic.account,
        "DisplayName": "",
        "Policy": topic.default_policy,
        "EffectiveDeliveryPolicy": json.dumps(policy, separators=(",", ":")),
    }
    if topic.fifo:
        computed["ContentBasedDeduplication"] = "false"
    beginning = topic.archive.beginning(now) if topic.archive is not None else None
    if beginning is not None:
        computed["BeginningArchiveTime"] = timestamp(beginning)
    return computed | attributes

"""Queue attributes: their names, allowed values and defaults, and the settings that affect message handling.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from localbus.errors import AwsError
from localbus.input_values import read_json
from localbus.policy_document import InvalidPolicyError, read_policy

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
MAX_VISIBILITY_TIMEOUT_S = 43_200

_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, MAX_VISIBILITY_TIMEOUT_S),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_CHOICES = {
    "FifoQueue": {"true", "false"},
    "ContentBasedDeduplication": {"true", "false"},
    "SqsManagedSseEnabled": {"true", "false"},
    "DeduplicationScope": {"queue", "messageGroup"},
    "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
}
_FIFO_ONLY = {"FifoQueue", "ContentBasedDeduplication"}
_HIGH_THROUGHPUT = {"DeduplicationScope", "FifoThroughputLimit"}
_TEXTS = {"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"}
SETTABLE = {*_RANGES, *_CHOICES, *_TEXTS}
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
_FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoQueue": "true",
    "FifoThroughputLimit": "perQueue",
}


@dataclass
class QueueSettings:
    """Queue attributes that affect message handling. The defaults are AWS's."""

    visibility_timeout_s: int = 30
    delay_s: int = 0
    retention_s: int = 345_600
    receive_wait_s: int = 0
    max_message_bytes: int = 1_048_576
    max_receive_count: int | None = None
    content_based_deduplication: bool = False
    deduplication_scope: str = "queue"


def defaults(*, fifo: bool) -> dict[str, str]:
    """Return the attributes of a new queue."""
    return _DEFAULTS | (_FIFO_DEFAULTS if fifo else {})


def check(given: Mapping[str, str], *, fifo: bool) -> None:
    """Raise AwsError for an unknown attribute or an invalid value."""
    for name, value in given.items():
        if name in _HIGH_THROUGHPUT and not fifo:
            raise AwsError("InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true.")
        if name not in SETTABLE or (name in _FIFO_ONLY and not fifo):
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        if name in _TEXTS or (value == "" and name in _RANGES):
            continue
        if not _is_allowed(name, value):
            raise AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    if given.get("KmsMasterKeyId") and given.get("SqsManagedSseEnabled") == "true":
        text = "You can use one type of server-side encryption (SSE) at one time."
        raise AwsError("InvalidAttributeName", f"{text} You can either enable KMS SSE or SQS SSE.")
    _check_policy(given.get("Policy", ""))


def _is_allowed(name: str, value: str) -> bool:
    if name in _CHOICES:
        return value.lower() in {choice.lower() for choice in _CHOICES[name]}
    low, high = _RANGES[name]
    return value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high


def _check_policy(text: str) -> None:
    try:
        if text:
            read_policy(text)
    except InvalidPolicyError as exc:
        raise AwsError("InvalidAttributeValue", "Invalid value for the parameter Policy.") from exc


def parse_object(text: str) -> dict[str, object] | None:
    """Return the JSON object in the text; None if it is not one."""
    try:
        document = read_json(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def merge(current: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes after a change. An empty value removes an optional one and resets a number."""
    merged = dict(current)
    for name, value in given.items():
        if value != "":
            merged[name] = value.lower() if value.lower() in {"true", "false"} else value
        elif name in _DEFAULTS:
            merged[name] = _DEFAULTS[name]
        else:
            merged.pop(name, None)
    if given.get("KmsMasterKeyId"):
        merged["SqsManagedSseEnabled"] = "false"
    if given.get("SqsManagedSseEnabled", "").lower() == "true":
        merged.pop("KmsMasterKeyId", None)
    if "KmsMasterKeyId" in current and "KmsMasterKeyId" not in merged:
        merged.pop("KmsDataKeyReusePeriodSeconds", None)
    per_group = merged.get("FifoThroughputLimit") == "perMessageGroupId"
    if per_group and merged.get("DeduplicationScope") != "messageGroup":
        reason = "The value can be set only when DeduplicationScope is messageGroup."
        raise AwsError(
            "InvalidAttributeValue", f"Invalid value for the parameter FifoThroughputLimit. Reason: {reason}"
        )
    return merged


def settings_of(attributes: Mapping[str, str]) -> QueueSettings:
    """Return the settings that these attributes make."""
    redrive = parse_object(attributes.get("RedrivePolicy", "")) or {}
    return QueueSettings(
        visibility_timeout_s=int(attributes["VisibilityTimeout"]),
        delay_s=int(attributes["DelaySeconds"]),
        retention_s=int(attributes["MessageRetentionPeriod"]),
        receive_wait_s=int(attributes["ReceiveMessageWaitTimeSeconds"]),
        max_message_bytes=int(attributes["MaximumMessageSize"]),
        max_receive_count=int(str(redrive["maxReceiveCount"])) if redrive else None,
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        deduplication_scope=attributes.get("DeduplicationScope", "queue"),
    )


def show(names: Iterable[str], stored: Mapping[str, str], live: Callable[[], Mapping[str, str]]) -> dict[str, str]:
    """Return the named attributes; `All` is every one. `live` returns those that are counted, not set."""
    requested = set(names)
    known = {**stored, **live()}
    if "KmsMasterKeyId" in stored:
        known.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    for name in requested - known.keys() - SETTABLE - {"All"}:
        raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
    return {name: value for name, value in known.items() if "All" in requested or name in requested}

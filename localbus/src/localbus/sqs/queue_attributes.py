"""A queue's attributes: which there are, what they may be, and how a queue takes and shows them.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, cast

from localbus.errors import AwsError
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.queue import Queue
from localbus.sqs.queue_settings import Settings

_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
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


def defaults(*, fifo: bool) -> dict[str, str]:
    """What a new queue has where nothing else is asked for."""
    return _DEFAULTS | (_FIFO_DEFAULTS if fifo else {})


def check(given: Mapping[str, str], *, fifo: bool) -> None:
    """Raise AWS's error for a name that is none or a value that may not be."""
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
    if text:
        statements = (parse_object(text) or {}).get("Statement")
        statements = statements if isinstance(statements, list) else [statements]
        if not statements or not all(_is_statement(statement) for statement in statements):
            raise AwsError("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def _is_statement(statement: object) -> bool:
    if not isinstance(statement, dict) or statement.get("Effect") not in {"Allow", "Deny"}:
        return False
    conditions = statement.get("Condition", {})
    return isinstance(conditions, dict) and all(isinstance(tests, dict) for tests in conditions.values())


def parse_object(text: str) -> dict[str, object] | None:
    """The JSON object in the text, or None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def merge(current: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The attributes after a change; an empty value takes an optional one away, and a number back to its default."""
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


def apply(queue: Queue, attributes: Mapping[str, str]) -> None:
    """Let the queue go by these attributes."""
    redrive = parse_object(attributes.get("RedrivePolicy", "")) or {}
    queue.settings = Settings(
        visibility_timeout_s=int(attributes["VisibilityTimeout"]),
        delay_s=int(attributes["DelaySeconds"]),
        retention_s=int(attributes["MessageRetentionPeriod"]),
        receive_wait_s=int(attributes["ReceiveMessageWaitTimeSeconds"]),
        max_message_bytes=int(attributes["MaximumMessageSize"]),
        max_receive_count=int(str(redrive["maxReceiveCount"])) if redrive else None,
    )
    if isinstance(queue, FifoQueue):
        queue.content_based_deduplication = attributes["ContentBasedDeduplication"] == "true"
        queue.deduplication_scope = cast(Literal["queue", "messageGroup"], attributes["DeduplicationScope"])


def show(names: Iterable[str], stored: Mapping[str, str], live: Callable[[], Mapping[str, str]]) -> dict[str, str]:
    """The attributes of these names; `All` is every one. `live` gives those that are counted, not set."""
    wanted = set(names)
    known = {**stored, **live()}
    for name in wanted - known.keys() - SETTABLE - {"All"}:
        raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
    return {name: value for name, value in known.items() if "All" in wanted or name in wanted}

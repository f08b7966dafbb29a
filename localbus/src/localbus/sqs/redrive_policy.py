"""Which queue takes the dead letters of which, and whether it wants them.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import json
from typing import NamedTuple

from localbus.sqs.errors import refusal
from localbus.sqs.queue_attributes import parse_object

MAX_RECEIVES = 1000
MAX_SOURCES = 10


class RedrivePolicy(NamedTuple):
    """After so many receives a message goes to that queue."""

    target_arn: str
    max_receive_count: int

    def text(self) -> str:
        """The policy as AWS shows it."""
        return json.dumps(
            {"deadLetterTargetArn": self.target_arn, "maxReceiveCount": self.max_receive_count}, separators=(",", ":")
        )


def parse_redrive_policy(text: str) -> RedrivePolicy:
    """The policy in the text, or AWS's error."""
    document = parse_object(text)
    if document is None:
        raise refusal("RedrivePolicy", text, "Redrive policy is not a valid JSON map.")
    for name in ("maxReceiveCount", "deadLetterTargetArn"):
        if name not in document:
            raise refusal("RedrivePolicy", text, f"Redrive policy does not contain mandatory attribute: {name}.")
    if set(document) != {"maxReceiveCount", "deadLetterTargetArn"}:
        raise refusal(
            "RedrivePolicy", text, "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]."
        )
    count = str(document["maxReceiveCount"])
    if not (count.isascii() and count.isdigit() and len(count) < 6 and 1 <= int(count) <= MAX_RECEIVES):
        reason = (
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to {MAX_RECEIVES} both inclusive."
        )
        raise refusal("RedrivePolicy", text, reason)
    target = document["deadLetterTargetArn"]
    if not isinstance(target, str) or len(target.split(":")) != 6 or not target.startswith("arn:"):
        raise refusal("RedrivePolicy", text, "Invalid value for deadLetterTargetArn.")
    return RedrivePolicy(target, int(count))


def check_allow_policy(text: str) -> None:
    """Raise AWS's error for a RedriveAllowPolicy that is none."""
    document = parse_object(text)
    if document is None:
        raise refusal(
            "RedriveAllowPolicy", text, "Amazon SQS can't create the redrive allow policy, as it's malformed."
        )
    permission, sources = document.get("redrivePermission"), document.get("sourceQueueArns")
    if permission not in {"allowAll", "denyAll", "byQueue"} or set(document) - {"redrivePermission", "sourceQueueArns"}:
        raise refusal(
            "RedriveAllowPolicy", text, "Amazon SQS can't create the redrive allow policy, as it's malformed."
        )
    if permission != "byQueue":
        if sources is not None:
            reason = "sourceQueueArns is allowed only when redrivePermission is set to byQueue."
            raise refusal("RedriveAllowPolicy", text, reason)
    elif not isinstance(sources, list) or not 1 <= len(sources) <= MAX_SOURCES:
        raise refusal("RedriveAllowPolicy", text, f"byQueue needs 1 to {MAX_SOURCES} sourceQueueArns.")


def permits(allow_policy: str, source_arn: str) -> bool:
    """Whether a queue with that RedriveAllowPolicy takes the dead letters of that one; without one it does."""
    document = parse_object(allow_policy) or {}
    match document.get("redrivePermission", "allowAll"):
        case "denyAll":
            return False
        case "byQueue":
            sources = document.get("sourceQueueArns")
            return isinstance(sources, list) and source_arn in sources
    return True

"""Redrive policies and redrive allow policies.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import json
from typing import NamedTuple

from localbus.errors import AwsError
from localbus.sqs.errors import invalid_value
from localbus.sqs.queue_attributes import parse_object

MAX_RECEIVES = 1000
MAX_SOURCES = 10


class RedrivePolicy(NamedTuple):
    """The dead-letter queue of a queue, and the number of receives after which messages move there."""

    target_arn: str
    max_receive_count: int

    def text(self) -> str:
        """Return the policy in AWS's spelling."""
        document = {"deadLetterTargetArn": self.target_arn, "maxReceiveCount": self.max_receive_count}
        return json.dumps(document, separators=(",", ":"))


def parse_redrive_policy(text: str) -> RedrivePolicy:
    """Parse a RedrivePolicy attribute. Raises AwsError."""

    def error(reason: str) -> AwsError:
        return invalid_value("RedrivePolicy", text, reason)

    document = parse_object(text)
    if document is None:
        raise error("Redrive policy is not a valid JSON map.")
    for name in ("maxReceiveCount", "deadLetterTargetArn"):
        if name not in document:
            raise error(f"Redrive policy does not contain mandatory attribute: {name}.")
    if len(document) > 2:
        raise error("Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].")
    given = document["maxReceiveCount"]
    count = given if isinstance(given, str) else json.dumps(given)
    if not (count.isascii() and count.isdigit() and len(count) < 6 and 1 <= int(count) <= MAX_RECEIVES):
        bounds = f"valid values are from 1 to {MAX_RECEIVES} both inclusive."
        raise error(f"Invalid value for maxReceiveCount: {count}, {bounds}")
    target = document["deadLetterTargetArn"]
    if not isinstance(target, str) or len(target.split(":")) != 6 or not target.startswith("arn:"):
        raise error("Invalid value for deadLetterTargetArn.")
    return RedrivePolicy(target, int(count))


def check_allow_policy(text: str) -> None:
    """Raise AwsError for an invalid RedriveAllowPolicy attribute."""

    def error(reason: str) -> AwsError:
        return invalid_value("RedriveAllowPolicy", text, reason)

    document = parse_object(text) or {}
    permission, sources = document.get("redrivePermission"), document.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue") or set(document) - {"redrivePermission", "sourceQueueArns"}:
        raise error("Amazon SQS can't create the redrive allow policy, as it's malformed.")
    if permission != "byQueue":
        if sources is not None:
            raise error("sourceQueueArns is allowed only when redrivePermission is set to byQueue.")
    elif not isinstance(sources, list) or not 1 <= len(sources) <= MAX_SOURCES:
        raise error(f"byQueue needs 1 to {MAX_SOURCES} sourceQueueArns.")


def permits(allow_policy: str, source_arn: str) -> bool:
    """Return whether a RedriveAllowPolicy accepts the dead letters of a queue; an empty one does."""
    document = parse_object(allow_policy) or {}
    match document.get("redrivePermission", "allowAll"):
        case "denyAll":
            return False
        case "byQueue":
            sources = document.get("sourceQueueArns")
            return isinstance(sources, list) and source_arn in sources
    return True

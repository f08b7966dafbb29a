"""A batch of messages on its way to a function: the event it becomes, and what the function's answer means for each.

Pure: nothing here receives, invokes or deletes.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html (the event, the payload limit)
and https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (partial batch responses)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from localbus.http.client import Answer
from localbus.protocol.service_model import Params
from localbus.sqs.message import Attribute, Received, attributes_md5
from localbus.sqs.message_actions import system_attributes

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
_PASSING_STATUSES = {404, 409, 429}  # gone for now, not ready yet, throttled


@dataclass(frozen=True)
class Item:
    """One received message. `visible_at` is when it is anybody's again."""

    message_id: str
    handle: str
    visible_at: float
    record: str
    size_bytes: int


@dataclass
class Batch:
    """Messages for one invocation, by message id: one that was received again meanwhile counts by its last receive."""

    items: dict[str, Item] = field(default_factory=dict)
    size_bytes: int = len('{"Records":[]}')

    def __len__(self) -> int:
        return len(self.items)

    def takes(self, item: Item) -> bool:
        """Whether the item still fits. A message that is too large by itself is a batch by itself."""
        return not self.items or self.size_bytes + item.size_bytes <= MAX_PAYLOAD_BYTES

    def add(self, item: Item) -> None:
        """Take the item in."""
        former = self.items.get(item.message_id)
        self.size_bytes += item.size_bytes - (former.size_bytes if former else 0)
        self.items[item.message_id] = item

    def event(self) -> str:
        """The function's event, as JSON."""
        return f'{{"Records":[{",".join(item.record for item in self.items.values())}]}}'

    @property
    def visible_at(self) -> float:
        """When the first of its messages is anybody's again."""
        return min(item.visible_at for item in self.items.values())


def record_of(received: Received, queue_arn: str, *, windowed: bool = False) -> Params:
    """A message as a function sees it, at the time of its receive.

    A mapping with a batching window has null for the digest of attributes that are not there (recorded of AWS).
    """
    message, handle = received
    record: Params = {
        "messageId": message.message_id,
        "receiptHandle": handle,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": {name: _attribute(value) for name, value in (message.attributes or {}).items()},
    }
    if message.attributes or windowed:
        record["md5OfMessageAttributes"] = attributes_md5(message.attributes) if message.attributes else None
    return record | {
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def item_of(received: Received, record: Params) -> Item:
    """The message as a part of a batch."""
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    message = received.message
    return Item(message.message_id, received.handle, message.until, text, len(text.encode()) + 1)


def _attribute(value: Attribute) -> Params:
    shown: Params = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "BinaryValue" in value:
        return {"binaryValue": base64.b64encode(value["BinaryValue"]).decode()} | shown
    return {"stringValue": value.get("StringValue", "")} | shown


@dataclass(frozen=True)
class Done:
    """The function has done its work; those of these ids it could not."""

    failed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Failed:
    """Nothing of the batch counts as done."""

    reason: str


@dataclass(frozen=True)
class TryAgain:
    """The function was not reached: the same invocation may succeed later."""

    reason: str


Outcome = Done | Failed | TryAgain


def outcome_of(answer: Answer, message_ids: Iterable[str], *, reports_failures: bool) -> Outcome:
    """What the answer to an invocation means for the messages of these ids."""
    if answer.status >= 500 or answer.status in _PASSING_STATUSES:
        return TryAgain(f"Lambda answered {answer.status}: {_excerpt(answer.body)}")
    if answer.status >= 300:
        return Failed(f"Lambda answered {answer.status}: {_excerpt(answer.body)}")
    if "x-amz-function-error" in answer.headers:
        return Failed(f"the function failed: {_excerpt(answer.body)}")
    return _reported(answer.body, frozenset(message_ids)) if reports_failures else Done()


def _reported(body: bytes, message_ids: frozenset[str]) -> Outcome:
    """A partial batch response. Nothing, null and an empty list say that all went well."""
    try:
        response: Any = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return Failed("the function's response is not JSON")
    if response is not None and not isinstance(response, dict):
        return Failed("the function's response is not an object")
    failures = (response or {}).get("batchItemFailures")
    if failures is None:
        return Done()
    if not isinstance(failures, list):
        return Failed("batchItemFailures is not a list")
    failed: set[str] = set()
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if not isinstance(identifier, str) or identifier not in message_ids:
            return Failed(f"batchItemFailures has an itemIdentifier that is no message of the batch: {identifier!r}")
        failed.add(identifier)
    return Done(frozenset(failed))


def _excerpt(body: bytes) -> str:
    return body[:500].decode("utf-8", "replace")

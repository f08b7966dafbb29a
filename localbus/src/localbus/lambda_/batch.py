"""A batch of messages for one invocation: the function's event, and the outcome of its answer for each message.

Pure functions and values: receiving, invoking and deleting are the poller's.
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
_RETRYABLE_STATUSES = {404, 409, 429}  # gone for now, not ready yet, throttled


@dataclass(frozen=True)
class Item:
    """One received message. Its visibility timeout ends at `visible_at`."""

    message_id: str
    handle: str
    visible_at: float
    record: str
    size_bytes: int


@dataclass
class Batch:
    """Messages for one invocation, by message id: of one that was received twice the last receive counts."""

    items: dict[str, Item] = field(default_factory=dict)
    size_bytes: int = len('{"Records":[]}')

    def __len__(self) -> int:
        return len(self.items)

    def fits(self, item: Item) -> bool:
        """Return whether the payload limit allows the item. A message that exceeds it alone is a batch alone."""
        return not self.items or self.size_bytes + item.size_bytes <= MAX_PAYLOAD_BYTES

    def add(self, item: Item) -> None:
        """Add the item, or replace its former receive."""
        former = self.items.get(item.message_id)
        self.size_bytes += item.size_bytes - (former.size_bytes if former else 0)
        self.items[item.message_id] = item

    def event(self) -> str:
        """Return the function's event as JSON."""
        return f'{{"Records":[{",".join(item.record for item in self.items.values())}]}}'

    @property
    def visible_at(self) -> float:
        """The time at which the first visibility timeout ends."""
        return min(item.visible_at for item in self.items.values())


def record_of(received: Received, queue_arn: str, *, windowed: bool = False) -> Params:
    """Return a message as a record of the function's event, at the time of its receive.

    With a batching window a message without attributes has null as their digest (recorded of AWS).
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
    """Return the message as an item of a batch."""
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
    """The function has processed the batch, except the messages with these ids."""

    failed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Failed:
    """The function has processed no message of the batch."""

    reason: str


@dataclass(frozen=True)
class Unreachable:
    """The function was not reached: the same invocation may succeed later."""

    reason: str


Outcome = Done | Failed | Unreachable


def outcome_of(answer: Answer, message_ids: Iterable[str], *, reports_failures: bool) -> Outcome:
    """Return the outcome that the answer to an invocation has for the messages of these ids."""
    if answer.status >= 500 or answer.status in _RETRYABLE_STATUSES:
        return Unreachable(f"Lambda answered {answer.status}: {_excerpt(answer.body)}")
    if answer.status >= 300:
        return Failed(f"Lambda answered {answer.status}: {_excerpt(answer.body)}")
    if "x-amz-function-error" in answer.headers:
        return Failed(f"the function failed: {_excerpt(answer.body)}")
    return _reported(answer.body, frozenset(message_ids)) if reports_failures else Done()


def _reported(body: bytes, message_ids: frozenset[str]) -> Outcome:
    """Read a partial batch response. An empty body, null and an empty list report no failure."""
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
            return Failed(f"batchItemFailures has an itemIdentifier that is not in the batch: {identifier!r}")
        failed.add(identifier)
    return Done(frozenset(failed))


def _excerpt(body: bytes) -> str:
    return body[:500].decode("utf-8", "replace")

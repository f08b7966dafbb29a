"""A message of a queue: what was sent, and what has become of it so far. What it waits for is `queue`'s part."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

Attribute = Mapping[str, Any]  # DataType, with StringValue or BinaryValue

TEXT_SENT = 1
BINARY_SENT = 2


class State(Enum):
    """Where a message is."""

    DELAYED = auto()
    VISIBLE = auto()
    IN_FLIGHT = auto()
    GONE = auto()  # deleted, expired, purged or moved: entries that still name it are void


class Message:
    """One message. Times are seconds since 1970.

    `until` is when a delayed message becomes visible, or one in flight visible again. `place` is its position in the
    order of the queue. `receive_number` counts the receipt handles given out; only the newest one is good.
    """

    __slots__ = (
        "attributes",
        "body",
        "body_md5",
        "deduplication_id",
        "first_received_at",
        "group_id",
        "message_id",
        "place",
        "receive_count",
        "receive_number",
        "received_at",
        "sender_id",
        "sent_at",
        "sequence_number",
        "source_arn",
        "state",
        "trace_header",
        "until",
    )

    def __init__(
        self,
        message_id: str,
        body: str,
        *,
        body_md5: str | None = None,
        sender_id: str = "",
        attributes: Mapping[str, Attribute] | None = None,
        trace_header: Attribute | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
    ) -> None:
        self.message_id = message_id
        self.body = body
        self.body_md5 = body_md5 or md5(body.encode())
        self.attributes = attributes or None
        self.trace_header = trace_header
        self.sender_id = sender_id
        self.group_id = group_id
        self.deduplication_id = deduplication_id
        self.sequence_number: str | None = None
        self.source_arn: str | None = None
        self.sent_at = 0.0
        self.first_received_at: float | None = None
        self.received_at = 0.0
        self.receive_count = 0
        self.receive_number = 0
        self.state = State.DELAYED
        self.until = 0.0
        self.place: float = 0


class Counts(NamedTuple):
    """How many messages there are, by where they are."""

    visible: int
    in_flight: int
    delayed: int


class Received(NamedTuple):
    """One message as one receive hands it out."""

    message: Message
    handle: str


def md5(data: bytes) -> str:
    """The digest by which clients check that a body came through whole."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def attributes_md5(attributes: Mapping[str, Attribute]) -> str:
    """The digest of message attributes.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    ("Calculating the MD5 message digest for message attributes").
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        data_type: str = attribute["DataType"]
        for text in (name, data_type):
            digest.update(_with_length(text.encode()))
        binary = data_type.startswith("Binary")
        digest.update(bytes([BINARY_SENT if binary else TEXT_SENT]))
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        digest.update(_with_length(value))
    return digest.hexdigest()


def _with_length(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def size_bytes(body: str, attributes: Mapping[str, Attribute] | None) -> int:
    """What counts towards the size limit: the body, and each attribute's name, type and value.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    return len(body.encode()) + attributes_bytes(attributes)


def attributes_bytes(attributes: Mapping[str, Attribute] | None) -> int:
    """How much of that is the attributes'."""
    size = 0
    for name, attribute in (attributes or {}).items():
        size += len(name.encode()) + len(attribute["DataType"].encode())
        value = attribute.get("BinaryValue", b"") or attribute.get("StringValue", "").encode()
        size += len(value)
    return size

"""A message of a queue, its size and its digests. See `queue` for its transitions."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import Any, NamedTuple

from localbus.ids import new_id

Attribute = Mapping[str, Any]  # DataType, with StringValue or BinaryValue


class State(IntEnum):
    """The state of a message. An IntEnum because its hash, which counting needs, is fast."""

    DELAYED = auto()
    VISIBLE = auto()
    IN_FLIGHT = auto()
    DELETED = auto()  # also when it has expired, was purged or moved: entries that still name it are invalid


@dataclass(slots=True, eq=False)
class Message:
    """A message. Times are seconds since 1970.

    `until` is when a delayed message becomes visible, or one in flight visible again. `position` is its place in the
    order of the queue. `receive_number` counts the receipt handles issued.
    `row` is its place in the storage of a durable engine.
    `receives_uncounted` is the part of `receive_count` that maxReceiveCount ignores: those before it became a dead
    letter, and duplicates. `added_at` is when it came into this queue; that of a dead letter is not its `sent_at`.
    """

    message_id: str
    body: str
    body_md5: str = ""
    sender_id: str = ""
    attributes: Mapping[str, Attribute] | None = None
    trace_header: Attribute | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence_number: str | None = None
    source_arn: str | None = None
    sent_at: float = 0.0
    first_received_at: float | None = None
    received_at: float = 0.0
    receive_count: int = 0
    receives_uncounted: int = 0
    receive_number: int = 0
    state: State = State.DELAYED
    until: float = 0.0
    position: float = 0
    row: int = 0
    added_at: float = 0.0

    def __post_init__(self) -> None:
        self.body_md5 = self.body_md5 or md5(self.body.encode())

    def renewed(self) -> Message:
        """Return a new message of the same content, group and deduplication id, for a move task."""
        return Message(
            new_id(),
            self.body,
            body_md5=self.body_md5,
            sender_id=self.sender_id,
            attributes=self.attributes,
            trace_header=self.trace_header,
            group_id=self.group_id,
            deduplication_id=self.deduplication_id,
        )


class Counts(NamedTuple):
    """The number of messages by state."""

    visible: int
    in_flight: int
    delayed: int


class Received(NamedTuple):
    """A received message with its receipt handle."""

    message: Message
    handle: str


def md5(data: bytes) -> str:
    """Return the digest by which clients verify a body."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def attributes_md5(attributes: Mapping[str, Attribute]) -> str:
    """Return the digest of message attributes.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    ("Calculating the MD5 message digest for message attributes").
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        data_type: str = attribute["DataType"]
        binary = data_type.startswith("Binary")
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        transport_type = b"\x02" if binary else b"\x01"
        digest.update(_with_length(name.encode()) + _with_length(data_type.encode()))
        digest.update(transport_type + _with_length(value))
    return digest.hexdigest()


def _with_length(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def size_bytes(body: str, attributes: Mapping[str, Attribute] | None) -> int:
    """Return the size that counts towards the limit: the body, and each attribute's name, type and value.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    return _utf8_bytes(body) + attributes_bytes(attributes)


def attributes_bytes(attributes: Mapping[str, Attribute] | None) -> int:
    """Return the attributes' part of the size."""
    return sum(
        _utf8_bytes(name)
        + _utf8_bytes(attribute["DataType"])
        + (len(attribute.get("BinaryValue", b"")) or _utf8_bytes(attribute.get("StringValue", "")))
        for name, attribute in (attributes or {}).items()
    )


def _utf8_bytes(text: str) -> int:
    """Return the bytes of a text, also of one with half a surrogate pair, which its own check refuses later."""
    return len(text.encode("utf-8", "surrogatepass"))

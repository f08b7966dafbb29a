"""The messages of queues in the storage of a durable engine.

A message is a row from its sending to its deletion, and has a second row, which is small, from its first receive. A
message that becomes visible by itself is not written: its time is in the row.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from localbus.sqs.message import Message, State
from localbus.storage.documents import checksum, decode, encode
from localbus.storage.durable import DurableStorage

_SCHEMA = """\
CREATE TABLE IF NOT EXISTS messages (
  row INTEGER PRIMARY KEY, queue INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, body_md5 BLOB NOT NULL,
  sender_id TEXT, attributes BLOB, trace_header BLOB, group_id TEXT, deduplication_id TEXT, sequence_number TEXT,
  source_arn TEXT, sent_at REAL NOT NULL, delayed_until REAL, checksum INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS receives (
  row INTEGER PRIMARY KEY, receive_count INTEGER NOT NULL, receive_number INTEGER NOT NULL,
  receives_uncounted INTEGER NOT NULL, first_received_at REAL, received_at REAL NOT NULL, in_flight_until REAL
);"""
_ADD = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RECEIVED = "INSERT OR REPLACE INTO receives VALUES (?, ?, ?, ?, ?, ?, ?)"
_DELETE = ("DELETE FROM messages WHERE row = ?", "DELETE FROM receives WHERE row = ?")
_SELECT_RECEIVES = """\
SELECT row, receive_count, receive_number, receives_uncounted, first_received_at, received_at, in_flight_until
FROM receives"""
_SELECT = """\
SELECT row, queue, checksum, delayed_until, id, body, body_md5, sender_id, attributes, trace_header, group_id,
  deduplication_id, sequence_number, source_arn, sent_at
FROM messages ORDER BY row"""


class MessageRows:
    """The rows of one queue: none, in an engine without storage."""

    def add(self, message: Message) -> None:
        """Store a new message."""

    def changed(self, message: Message) -> None:
        """Store the receives of a message, or its deletion."""


NO_ROWS = MessageRows()


class MessageTable:
    """The rows of all queues of a durable engine."""

    def __init__(self, storage: DurableStorage) -> None:
        self.storage = storage
        storage.add_writer(self, _SCHEMA)
        self._connection = storage.connection
        found = self._connection.execute("SELECT coalesce(max(row), 0) FROM messages").fetchone()[0]
        self.last_row: int = found
        self._last_written = self.last_row
        self.changed: set[StoredRows] = set()

    def of(self, queue_number: int) -> MessageRows:
        """Return the rows of a queue."""
        return StoredRows(self, queue_number)

    def write(self, database: sqlite3.Connection) -> None:
        """Write what has changed since the last commit, in the order of sending."""
        added: list[tuple[object, ...]] = []
        received: list[tuple[object, ...]] = []
        deleted: list[tuple[int]] = []
        for rows in self.changed:
            for row, message in rows.changed_messages.items():
                is_new = row > self._last_written
                if message.state is State.DELETED:
                    if not is_new:
                        deleted.append((row,))
                    continue
                if is_new:
                    added.append(_content(message, rows.queue_number))
                if message.receive_number or message.receive_count:
                    received.append(_receives(message))
        if len(self.changed) > 1:
            added.sort()
        database.executemany(_ADD, added)
        database.executemany(_RECEIVED, received)
        for statement in _DELETE:
            database.executemany(statement, deleted)

    def written(self) -> None:
        """Forget what is written."""
        self._last_written = self.last_row
        for rows in self.changed:
            rows.changed_messages.clear()
        self.changed.clear()

    def load(self) -> dict[int, list[Message]]:
        """Return the messages by the number of their queue, in the order of sending. Raises DataFolderError."""
        found: defaultdict[int, list[Message]] = defaultdict(list)
        received = {row: receives for row, *receives in self._connection.execute(_SELECT_RECEIVES)}
        rows = self._connection.execute(_SELECT)
        # There may be very many, so a Message is made by position; `rest` is group_id to sent_at.
        for row, queue, expected, delayed_until, message_id, body, md5, sender, attributes, trace, *rest in rows:
            if expected != _checksum(message_id, body, attributes):
                raise self.storage.damaged(f"the checksum of message {message_id} is wrong")
            decoded = decode(attributes) if attributes else None
            trace_header = decode(trace) if trace else None
            message = Message(message_id, body, md5.hex(), sender, decoded, trace_header, *rest)
            message.row = row
            message.state = State.VISIBLE
            message.added_at = message.sent_at
            if row in received:
                _set_receives(message, received[row])
                if message.source_arn:  # it became a dead letter after its last receive; the rows have no closer time
                    message.added_at = message.received_at
            if delayed_until is not None and not message.receive_number:
                message.state, message.until = State.DELAYED, delayed_until
            found[queue].append(message)
        return found


class StoredRows(MessageRows):
    """The rows of one queue of a durable engine."""

    def __init__(self, table: MessageTable, queue_number: int) -> None:
        self.queue_number = queue_number
        self.changed_messages: dict[int, Message] = {}
        self._table = table

    def add(self, message: Message) -> None:
        """Store a new message."""
        self._table.last_row += 1
        message.row = self._table.last_row
        self.changed(message)

    def changed(self, message: Message) -> None:
        """Store the receives of a message, or its deletion."""
        if not self.changed_messages:
            self._table.changed.add(self)
            self._table.storage.touch()
        self.changed_messages[message.row] = message


def _content(message: Message, queue_number: int) -> tuple[object, ...]:
    attributes = encode(message.attributes) if message.attributes else None
    return (
        message.row,
        queue_number,
        message.message_id,
        message.body,
        bytes.fromhex(message.body_md5),
        message.sender_id,
        attributes,
        encode(message.trace_header) if message.trace_header else None,
        message.group_id,
        message.deduplication_id,
        message.sequence_number,
        message.source_arn,
        message.sent_at,
        message.until if message.state is State.DELAYED else None,
        _checksum(message.message_id, message.body, attributes),
    )


def _receives(message: Message) -> tuple[object, ...]:
    return (
        message.row,
        message.receive_count,
        message.receive_number,
        message.receives_uncounted,
        message.first_received_at,
        message.received_at,
        message.until if message.state is State.IN_FLIGHT else None,
    )


def _set_receives(message: Message, receives: list[Any]) -> None:
    count, number, uncounted, first_received_at, received_at, in_flight_until = receives
    message.receive_count, message.receive_number, message.receives_uncounted = count, number, uncounted
    message.first_received_at, message.received_at = first_received_at, received_at
    if in_flight_until is not None:
        message.state, message.until = State.IN_FLIGHT, in_flight_until


def _checksum(message_id: str, body: str, attributes: bytes | None) -> int:
    return checksum(f"{message_id}{body}".encode() + (attributes or b""))

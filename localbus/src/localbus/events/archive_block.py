"""A block of an archive: consecutive events as compressed text, and its rows in the storage of a durable engine.

There an event is a row until its block is full. A full block is one row, of which times and sizes stay in memory.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from localbus.events.event import Event
from localbus.storage.documents import checksum
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Storage

# The size of the compressor's window: larger blocks compress no better and are slower to read one event from.
_BLOCK_BYTES: Final = 32_768
_FASTEST: Final = 1
_ROW_BITS: Final = 16  # an event's number is that of its block and its place there

_SCHEMA = """\
CREATE TABLE IF NOT EXISTS archived_events (
  number INTEGER PRIMARY KEY, archive INTEGER NOT NULL, ingested_at REAL NOT NULL, happened_at REAL NOT NULL,
  size INTEGER NOT NULL, checksum INTEGER NOT NULL, event BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS archive_blocks (
  number INTEGER PRIMARY KEY, archive INTEGER NOT NULL, ingested_at BLOB NOT NULL, happened_at BLOB NOT NULL,
  sizes BLOB NOT NULL, checksum INTEGER NOT NULL, events_checksum INTEGER NOT NULL, events BLOB NOT NULL
);"""
_ADD_EVENT = "INSERT INTO archived_events VALUES (?, ?, ?, ?, ?, ?, ?)"
_DELETE_EVENTS = "DELETE FROM archived_events WHERE number BETWEEN ? AND ?"
_EVENTS = "SELECT * FROM archived_events ORDER BY number"
_ADD_BLOCK = "INSERT INTO archive_blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE_BLOCK = "DELETE FROM archive_blocks WHERE number = ?"
_BLOCKS = "SELECT number, archive, ingested_at, happened_at, sizes, checksum FROM archive_blocks ORDER BY number"
_READ_BLOCK = "SELECT events, events_checksum FROM archive_blocks WHERE number = ?"
_LAST_NUMBERS = "SELECT max(number) FROM archive_blocks UNION ALL SELECT max(number) FROM archived_events"


class Block:
    """A block of events, one a line: compact JSON has no line breaks. `archive` is the number of its archive."""

    def __init__(self, blocks: Blocks, archive: int, number: int) -> None:
        self.archive = archive
        self.number = number
        self.ingested_at = array("d")
        self.happened_at = array("d")
        self.sizes = array("Q")
        self.expired = 0
        self.is_deleted = False
        self.is_full = False
        self.lines_in_memory: list[bytes] = []
        self.packed: bytes | None = None
        self.stored = 0
        self._blocks = blocks
        self._bytes = 0

    def append(self, event: Event, size: int) -> None:
        """Add an event, and compress the block if it is full."""
        self.add(event.text.encode(), event.ingested_at, _time_of(event), size)
        if self._bytes >= _BLOCK_BYTES:
            self.is_full = True
            self.packed = zlib.compress(b"\n".join(self.lines_in_memory), _FASTEST)
            self.lines_in_memory.clear()
        self._blocks.changed(self)

    def add(self, line: bytes, ingested_at: float, happened_at: float, size: int) -> None:
        """Add the text of an event."""
        self.ingested_at.append(ingested_at)
        self.happened_at.append(happened_at)
        self.sizes.append(size)
        self.lines_in_memory.append(line)
        self._bytes += len(line)

    def lines(self) -> list[bytes]:
        """Return the text of each event. Raises DataFolderError if the storage is damaged."""
        if not self.is_full:
            return self.lines_in_memory
        return zlib.decompress(self.packed or self._blocks.read(self)).split(b"\n")

    def delete(self) -> None:
        """Remove the block from the storage."""
        self.is_deleted = True
        self._blocks.changed(self)


def _time_of(event: Event) -> float:
    return datetime.fromisoformat(event.document["time"]).timestamp()


class Blocks:
    """The blocks of all archives of an engine without storage."""

    def new(self, archive: int) -> Block:
        """Return a new block of an archive."""
        return Block(self, archive, 0)

    def changed(self, block: Block) -> None:
        """Store what has changed of a block."""

    def read(self, block: Block) -> bytes:
        """Return the compressed events of a full block."""
        raise NotImplementedError(f"block {block.number} is in memory")


class StoredBlocks(Blocks):
    """The blocks of all archives of a durable engine."""

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage
        storage.add_writer(self, _SCHEMA)
        (block,), (event,) = storage.connection.execute(_LAST_NUMBERS).fetchall()
        self._last_number = max(block or 0, (event or 0) >> _ROW_BITS)
        self._changed: dict[Block, None] = {}

    def new(self, archive: int) -> Block:
        """Return a new block of an archive."""
        self._last_number += 1
        return Block(self, archive, self._last_number)

    def changed(self, block: Block) -> None:
        """Store what has changed of a block."""
        if not self._changed:
            self._storage.touch()
        self._changed[block] = None

    def write(self, database: sqlite3.Connection) -> None:
        """Write what has changed since the last commit."""
        for block in self._changed:
            first = block.number << _ROW_BITS
            if block.stored and (block.is_deleted or block.is_full):
                database.execute(_DELETE_EVENTS, (first, first + block.stored))
            if block.is_deleted:
                database.execute(_DELETE_BLOCK, (block.number,))
            elif block.is_full:
                database.execute(_ADD_BLOCK, _row_of(block))
            else:
                database.executemany(_ADD_EVENT, _rows_of(block, first))

    def written(self) -> None:
        """Forget what is written; full blocks are read from the database from now on."""
        for block in self._changed:
            block.stored = len(block.sizes)
            block.packed = None
        self._changed.clear()

    def read(self, block: Block) -> bytes:
        """Return the compressed events of a full block. Raises DataFolderError."""
        found = self._storage.connection.execute(_READ_BLOCK, (block.number,)).fetchone()
        if found is None or checksum(found[0]) != found[1]:
            raise self._storage.damaged(f"the checksum of the events of archive block {block.number} is wrong")
        packed: bytes = found[0]
        return packed

    def load(self) -> Iterator[Block]:
        """Yield all blocks, the oldest first, without the events of full ones. Raises DataFolderError."""
        for number, archive, ingested_at, happened_at, sizes, expected in self._storage.connection.execute(_BLOCKS):
            if checksum(ingested_at + happened_at + sizes) != expected:
                raise self._storage.damaged(f"the checksum of archive block {number} is wrong")
            block = Block(self, archive, number)
            block.ingested_at.frombytes(ingested_at)
            block.happened_at.frombytes(happened_at)
            block.sizes.frombytes(sizes)
            block.is_full, block.stored = True, len(block.sizes)
            yield block
        yield from self._load_open()

    def _load_open(self) -> Iterator[Block]:
        block: Block | None = None
        for number, archive, ingested_at, happened_at, size, expected, event in self._storage.connection.execute(
            _EVENTS
        ):
            if checksum(event) != expected:
                raise self._storage.damaged(f"the checksum of the archived event {number} is wrong")
            if block is None or block.number != number >> _ROW_BITS:
                if block is not None:
                    yield block
                block = Block(self, archive, number >> _ROW_BITS)
            block.add(event, ingested_at, happened_at, size)
            block.stored += 1
        if block is not None:
            yield block


def blocks_in(storage: Storage) -> Blocks:
    """Return the blocks of an engine with this storage."""
    return StoredBlocks(storage) if isinstance(storage, DurableStorage) else Blocks()


def _row_of(block: Block) -> tuple[Any, ...]:
    times_and_sizes = tuple(one.tobytes() for one in (block.ingested_at, block.happened_at, block.sizes))
    events = block.packed or b""
    sums = (checksum(b"".join(times_and_sizes)), checksum(events))
    return (block.number, block.archive, *times_and_sizes, *sums, events)


def _rows_of(block: Block, first: int) -> Iterator[tuple[Any, ...]]:
    for row in range(block.stored, len(block.sizes)):
        line = block.lines_in_memory[row]
        times = (block.ingested_at[row], block.happened_at[row])
        yield (first + row, block.archive, *times, block.sizes[row], checksum(line), line)

"""The rows of the blocks of all archives on disk. A full block leaves the memory, except its summary.

A durable engine has them in its storage, and there an event of an open block is a row too. Another engine has full
blocks in a temporary file, which ends with the process.
"""

from __future__ import annotations

import logging
import sqlite3
from array import array
from collections.abc import Iterator
from typing import Any, Final

from localbus.events.archived_events.block import Block, Columns
from localbus.storage.database import DataFolderError, temporary_database
from localbus.storage.documents import checksum
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Storage

log = logging.getLogger("localbus")

_ROW_BITS: Final = 16  # an event's number is that of its block and its place there
_CACHE_KIB: Final = 256

_BLOCKS_SCHEMA = """\
CREATE TABLE IF NOT EXISTS archive_blocks (
  number INTEGER PRIMARY KEY, archive INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL,
  oldest REAL NOT NULL, newest REAL NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
  checksum INTEGER NOT NULL, columns_checksum INTEGER NOT NULL, events_checksum INTEGER NOT NULL,
  columns BLOB NOT NULL, events BLOB NOT NULL
);"""
_EVENTS_SCHEMA = """\
CREATE TABLE IF NOT EXISTS archived_events (
  number INTEGER PRIMARY KEY, archive INTEGER NOT NULL, ingested_at REAL NOT NULL, happened_at REAL NOT NULL,
  size INTEGER NOT NULL, checksum INTEGER NOT NULL, event BLOB NOT NULL
);"""
_ADD_BLOCK = "INSERT INTO archive_blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE_BLOCK = "DELETE FROM archive_blocks WHERE number = ?"
_SUMMARIES = """\
SELECT number, archive, count, size, oldest, newest, first_at, last_at, checksum FROM archive_blocks ORDER BY number"""
_READ_COLUMNS = "SELECT columns, columns_checksum FROM archive_blocks WHERE number = ?"
_READ_EVENTS = "SELECT events, events_checksum FROM archive_blocks WHERE number = ?"
_ADD_EVENT = "INSERT INTO archived_events VALUES (?, ?, ?, ?, ?, ?, ?)"
_DELETE_EVENTS = "DELETE FROM archived_events WHERE number BETWEEN ? AND ?"
_EVENTS = "SELECT * FROM archived_events ORDER BY number"
_LAST_NUMBERS = "SELECT max(number) FROM archive_blocks UNION ALL SELECT max(number) FROM archived_events"


class BlockRows:
    """The rows of full blocks in a temporary file, which is made for the first one."""

    def __init__(self) -> None:
        self._last_number = 0
        self._database: sqlite3.Connection | None = None

    def new_block(self, archive: int) -> Block:
        """Return a new block of an archive."""
        self._last_number += 1
        return Block(self, archive, self._last_number)

    @property
    def database(self) -> sqlite3.Connection:
        """The database of the rows."""
        if self._database is None:
            self._database = temporary_database(_CACHE_KIB)
            self._database.execute(_BLOCKS_SCHEMA)
        return self._database

    def changed(self, block: Block) -> None:
        """Write a full block, or delete it. One for which the disk has no room stays in memory."""
        if block.is_deleted and block.is_on_disk:
            self.database.execute(_DELETE_BLOCK, (block.number,))
        elif block.is_full and not block.is_deleted:
            try:
                self.database.execute(_ADD_BLOCK, _row_of(block))
            except sqlite3.Error as exc:
                log.warning("archive.kept_in_memory %s", exc)
            else:
                block.forget()

    def load(self) -> Iterator[Block]:
        """Yield all stored blocks, the oldest first. Raises DataFolderError."""
        yield from ()

    def read_columns(self, block: Block) -> Columns:
        """Return the times and sizes of a block that is on disk. Raises DataFolderError."""
        data, width = self._read(_READ_COLUMNS, block), 8 * block.count
        return Columns(array("d", data[:width]), array("d", data[width : 2 * width]), array("Q", data[2 * width :]))

    def read_packed(self, block: Block) -> bytes:
        """Return the compressed events of a block that is on disk. Raises DataFolderError."""
        return self._read(_READ_EVENTS, block)

    def _read(self, statement: str, block: Block) -> bytes:
        data, expected = self.database.execute(statement, (block.number,)).fetchone() or (b"", -1)
        if checksum(data) != expected:
            raise self._damaged(f"the checksum of the events of archive block {block.number} is wrong")
        return bytes(data)

    def _damaged(self, reason: str) -> Exception:
        return DataFolderError(f"A temporary file is damaged: {reason}. Start localbus again.")


class StoredBlockRows(BlockRows):
    """The rows of all blocks in the storage of a durable engine."""

    def __init__(self, storage: DurableStorage) -> None:
        super().__init__()
        self._storage = storage
        storage.add_writer(self, _BLOCKS_SCHEMA + _EVENTS_SCHEMA)
        self._database = storage.connection
        (block,), (event,) = self.database.execute(_LAST_NUMBERS).fetchall()
        self._last_number = max(block or 0, (event or 0) >> _ROW_BITS)
        self._changed: dict[Block, None] = {}
        self._stored: dict[Block, int] = {}  # the number of rows of an open block

    def changed(self, block: Block) -> None:
        """Write a block, or what is new in it, or its deletion with the next commit."""
        if not self._changed:
            self._storage.touch()
        self._changed[block] = None

    def write(self, database: sqlite3.Connection) -> None:
        """Write what has changed since the last commit."""
        for block in self._changed:
            first, stored = block.number << _ROW_BITS, self._stored.get(block, 0)
            if stored and (block.is_deleted or block.is_full):
                database.execute(_DELETE_EVENTS, (first, first + stored))
            if block.is_deleted:
                database.execute(_DELETE_BLOCK, (block.number,))
            elif block.is_full:
                database.execute(_ADD_BLOCK, _row_of(block))
            else:
                database.executemany(_ADD_EVENT, _event_rows_of(block, first, stored))

    def written(self) -> None:
        """Forget what is written."""
        for block in self._changed:
            if block.is_full or block.is_deleted:
                block.forget()
                self._stored.pop(block, None)
            else:
                self._stored[block] = block.count
        self._changed.clear()

    def load(self) -> Iterator[Block]:
        """Yield all stored blocks, the oldest first. Raises DataFolderError."""
        for number, archive, *summary, expected in self.database.execute(_SUMMARIES):
            if _checksum_of(*summary) != expected:
                raise self._damaged(f"the checksum of archive block {number} is wrong")
            block = Block(self, archive, number)
            block.count, block.size_bytes, block.oldest, block.newest, block.first_at, block.last_at = summary
            block.is_full = True
            block.forget()
            yield block
        open_blocks: dict[int, Block] = {}
        for number, archive, ingested_at, happened_at, size, expected, event in self.database.execute(_EVENTS):
            if checksum(event) != expected:
                raise self._damaged(f"the checksum of the archived event {number} is wrong")
            at = number >> _ROW_BITS
            block = open_blocks.get(at) or Block(self, archive, at)
            block.add(event, ingested_at, happened_at, size)
            open_blocks[at], self._stored[block] = block, block.count
        yield from open_blocks.values()

    def _damaged(self, reason: str) -> Exception:
        return self._storage.damaged(reason)


def block_rows(storage: Storage) -> BlockRows:
    """Return the rows of an engine with this storage."""
    return StoredBlockRows(storage) if isinstance(storage, DurableStorage) else BlockRows()


def _row_of(block: Block) -> tuple[Any, ...]:
    oldest = block.columns().ingested_at[0]
    summary = (block.count, block.size_bytes, oldest, block.newest, block.first_at, block.last_at)
    columns, events = b"".join(one.tobytes() for one in block.columns()), block.packed or b""
    checksums = (_checksum_of(*summary), checksum(columns), checksum(events))
    return (block.number, block.archive, *summary, *checksums, columns, events)


def _checksum_of(*summary: float) -> int:
    return checksum(repr(summary).encode())


def _event_rows_of(block: Block, first: int, stored: int) -> Iterator[tuple[Any, ...]]:
    columns = block.columns()
    for row in range(stored, block.count):
        line = block.open_lines[row]
        times = (columns.ingested_at[row], columns.happened_at[row])
        yield (first + row, block.archive, *times, columns.sizes[row], checksum(line), line)

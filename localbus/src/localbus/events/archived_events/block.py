"""A block of an archive: consecutive events as compressed text. `rows` has its rows on disk."""

from __future__ import annotations

import math
import zlib
from array import array
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from localbus.events.event import Event

# The size of the compressor's window: larger blocks compress no better and are slower to read one event from.
_BLOCK_BYTES: Final = 32_768
_FASTEST: Final = 1


class Columns(NamedTuple):
    """The times of ingestion, the times and the sizes of the events of a block. Times are seconds since 1970."""

    ingested_at: array[float]
    happened_at: array[float]
    sizes: array[int]


class Rows(Protocol):
    """The rows of all blocks of an engine."""

    def changed(self, block: Block) -> None:
        """Store what has changed of a block."""

    def read_columns(self, block: Block) -> Columns:
        """Return the times and sizes of a block that is on disk. Raises DataFolderError."""

    def read_packed(self, block: Block) -> bytes:
        """Return the compressed events of a block that is on disk. Raises DataFolderError."""


class Block:
    """A block of events, one a line: compact JSON has no line breaks. `archive` is the number of its archive.

    The first `expired` events have expired. `oldest` is the time of ingestion of the first that has not, and `newest`
    the last such time; the times of the events are from `first_at` to `last_at`. `size_bytes` is of all events.
    """

    def __init__(self, rows: Rows, archive: int, number: int) -> None:
        self.archive = archive
        self.number = number
        self.count = 0
        self.size_bytes = 0
        self.expired = 0
        self.expired_bytes = 0
        self.oldest = self.first_at = math.inf
        self.newest = self.last_at = -math.inf
        self.is_full = False
        self.is_deleted = False
        self.is_on_disk = False
        self.open_lines: list[bytes] = []
        self.packed: bytes | None = None
        self._columns: Columns | None = Columns(array("d"), array("d"), array("Q"))
        self._rows = rows
        self._bytes = 0

    def append(self, event: Event, size: int) -> None:
        """Add an event, and compress the block if it is full."""
        happened_at = datetime.fromisoformat(event.document["time"]).timestamp()
        self.add(event.text.encode(), event.ingested_at, happened_at, size)
        if self._bytes >= _BLOCK_BYTES:
            self.is_full = True
            self.packed = zlib.compress(b"\n".join(self.open_lines), _FASTEST)
            self.open_lines = []
        self._rows.changed(self)

    def add(self, line: bytes, ingested_at: float, happened_at: float, size: int) -> None:
        """Add the text of an event to an open block."""
        columns = self.columns()
        columns.ingested_at.append(ingested_at)
        columns.happened_at.append(happened_at)
        columns.sizes.append(size)
        if self.expired == self.count:
            self.oldest = ingested_at
        self.count += 1
        self.size_bytes += size
        self.newest = max(self.newest, ingested_at)
        self.first_at, self.last_at = min(self.first_at, happened_at), max(self.last_at, happened_at)
        self.open_lines.append(line)
        self._bytes += len(line)

    def columns(self) -> Columns:
        """Return the times and sizes of the events."""
        return self._columns or self._rows.read_columns(self)

    def lines(self) -> list[bytes]:
        """Return the text of each event. Raises DataFolderError if the storage is damaged."""
        if not self.is_full:
            return self.open_lines
        return zlib.decompress(self.packed or self._rows.read_packed(self)).split(b"\n")

    def expire(self, moment: float) -> None:
        """Let the events expire that were ingested at that moment or before."""
        if moment >= self.newest:
            self.expired, self.expired_bytes = self.count, self.size_bytes
            return
        self._columns = columns = self.columns()
        while columns.ingested_at[self.expired] <= moment:
            self.expired_bytes += columns.sizes[self.expired]
            self.expired += 1
        self.oldest = columns.ingested_at[self.expired]

    def forget(self) -> None:
        """Release the memory of a full block, which is on disk from now on."""
        self.is_on_disk = True
        self.packed = self._columns = None

    def delete(self) -> None:
        """Remove the block from the disk."""
        self.is_deleted = True
        self._rows.changed(self)

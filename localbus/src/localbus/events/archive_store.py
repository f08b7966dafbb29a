"""The events of an archive in memory, as blocks of compressed text so that days of them fit."""

from __future__ import annotations

import json
import zlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from localbus.events.event import Event

# The size of the compressor's window: larger blocks compress no better and are slower to read one event from.
_BLOCK_BYTES: Final = 32_768
_FASTEST: Final = 1


class _Block:
    """A block of consecutive events, one a line: compact JSON has no line breaks."""

    def __init__(self) -> None:
        self.ingested_at = array("d")
        self.happened_at = array("d")
        self.sizes = array("L")
        self.expired = 0
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._packed: bytes | None = None

    def append(self, event: Event, size: int) -> None:
        line = event.text.encode()
        self.ingested_at.append(event.ingested_at)
        self.happened_at.append(datetime.fromisoformat(event.document["time"]).timestamp())
        self.sizes.append(size)
        self._open.append(line)
        self._open_bytes += len(line)
        if self._open_bytes >= _BLOCK_BYTES:
            self._packed = zlib.compress(b"\n".join(self._open), _FASTEST)
            self._open.clear()

    @property
    def full(self) -> bool:
        return self._packed is not None

    def lines(self) -> list[bytes]:
        return self._open if self._packed is None else zlib.decompress(self._packed).split(b"\n")


class ArchivedEvent(NamedTuple):
    """The place of an archived event, and its time in seconds since 1970."""

    happened_at: float
    block: _Block
    row: int


class ArchiveStore:
    """Archived events in the order of their ingestion."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._count = 0
        self.size_bytes = 0

    def __len__(self) -> int:
        return self._count

    def append(self, event: Event) -> None:
        """Add an event."""
        if not self._blocks or self._blocks[-1].full:
            self._blocks.append(_Block())
        size = event.archived_bytes
        self._blocks[-1].append(event, size)
        self._count += 1
        self.size_bytes += size

    def expire_until(self, moment: float) -> None:
        """Delete the events that were ingested at that moment or before."""
        while self._blocks:
            block = self._blocks[0]
            while block.expired < len(block.sizes) and block.ingested_at[block.expired] <= moment:
                self.size_bytes -= block.sizes[block.expired]
                self._count -= 1
                block.expired += 1
            if block.expired < len(block.sizes):
                return
            self._blocks.popleft()

    def between(self, start: float, end: float) -> Iterator[ArchivedEvent]:
        """Yield the events whose time is from `start` to `end`, inclusive."""
        for block in self._blocks:
            for row in range(block.expired, len(block.sizes)):
                if start <= block.happened_at[row] <= end:
                    yield ArchivedEvent(block.happened_at[row], block, row)


def read_events(archived: Iterable[ArchivedEvent]) -> Iterator[Event]:
    """Yield the archived events. Each block is decompressed once while consecutive events come from it."""
    for _, rows in groupby(archived, key=lambda one: id(one.block)):
        lines: list[bytes] = []
        for one in rows:
            lines = lines or one.block.lines()
            yield Event(json.loads(lines[one.row]), one.block.ingested_at[one.row])

"""The events of an archive, kept small: as compressed text in blocks, so that days of them fit into memory."""

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

# A block is as large as the compressor's window: larger ones would not get smaller, only slower to read one event of.
_BLOCK_BYTES: Final = 32_768
_FASTEST: Final = 1


class _Block:
    """Some events that came one after the other. The text of one is a line, as compact JSON has no line breaks."""

    def __init__(self) -> None:
        self.ingested_at = array("d")
        self.happened_at = array("d")
        self.sizes = array("L")
        self.forgotten = 0
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


class Kept(NamedTuple):
    """Where a kept event is, and when it happened, in seconds since 1970."""

    happened_at: float
    block: _Block
    row: int


class KeptEvents:
    """Events in the order in which they came."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._count = 0
        self.size_bytes = 0

    def __len__(self) -> int:
        return self._count

    def append(self, event: Event) -> None:
        """Take in an event."""
        if not self._blocks or self._blocks[-1].full:
            self._blocks.append(_Block())
        size = event.archived_bytes
        self._blocks[-1].append(event, size)
        self._count += 1
        self.size_bytes += size

    def forget_until(self, moment: float) -> None:
        """Forget what came at that moment or before."""
        while self._blocks:
            block = self._blocks[0]
            while block.forgotten < len(block.sizes) and block.ingested_at[block.forgotten] <= moment:
                self.size_bytes -= block.sizes[block.forgotten]
                self._count -= 1
                block.forgotten += 1
            if block.forgotten < len(block.sizes):
                return
            self._blocks.popleft()

    def between(self, start: float, end: float) -> Iterator[Kept]:
        """The events that happened from `start` to `end`."""
        for block in self._blocks:
            for row in range(block.forgotten, len(block.sizes)):
                if start <= block.happened_at[row] <= end:
                    yield Kept(block.happened_at[row], block, row)


def read(kept: Iterable[Kept]) -> Iterator[Event]:
    """The events themselves."""
    for _, places in groupby(kept, key=lambda place: id(place.block)):
        lines: list[bytes] = []
        for place in places:
            lines = lines or place.block.lines()
            yield Event(json.loads(lines[place.row]), place.block.ingested_at[place.row])

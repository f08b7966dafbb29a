"""The events of an archive, as blocks of compressed text on disk so that days of them fit."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import NamedTuple

from localbus.events.archived_events.block import Block
from localbus.events.archived_events.rows import BlockRows
from localbus.events.event import Event


class ArchivedEvent(NamedTuple):
    """The place of an archived event, its time and the time of its ingestion, in seconds since 1970."""

    happened_at: float
    ingested_at: float
    block: Block
    row: int

    @property
    def minute(self) -> int:
        """The minute of its time, since 1970."""
        return int(self.happened_at // 60)


class ArchiveStore:
    """Archived events in the order of their ingestion. Those until `expired_until` have expired.

    Expired events stay readable while a replay that has selected them runs, between `hold` and `release`.
    """

    def __init__(self, rows: BlockRows, archive: int) -> None:
        self.archive = archive
        self.expired_until = 0.0
        self.is_deleted = False
        self.size_bytes = 0
        self._rows = rows
        self._blocks: deque[Block] = deque()
        self._expired_blocks: list[Block] = []
        self._holders = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, event: Event) -> None:
        """Add an event."""
        if not self._blocks or self._blocks[-1].is_full:
            self._blocks.append(self._rows.new_block(self.archive))
        size = event.archived_bytes
        self._blocks[-1].append(event, size)
        self._count += 1
        self.size_bytes += size

    def restore(self, block: Block) -> None:
        """Add a block from the storage, which is younger than all others."""
        self._blocks.append(block)
        self._count += block.count
        self.size_bytes += block.size_bytes
        self._expire(self.expired_until)

    def expire_until(self, moment: float) -> bool:
        """Delete the events that were ingested at that moment or before. Return whether there were any."""
        before = self._count
        self._expire(moment)
        if self._count == before:
            return False
        self.expired_until = moment
        self._delete_expired()
        return True

    def _expire(self, moment: float) -> None:
        while self._blocks:
            block = self._blocks[0]
            if block.oldest > moment:
                return
            count, size_bytes = block.expired, block.expired_bytes
            block.expire(moment)
            self._count -= block.expired - count
            self.size_bytes -= block.expired_bytes - size_bytes
            if block.expired < block.count:
                return
            self._expired_blocks.append(self._blocks.popleft())

    def hold(self) -> None:
        """Keep the events that expire from now on."""
        self._holders += 1

    def release(self) -> None:
        """End a `hold`."""
        self._holders -= 1
        self._delete_expired()

    def _delete_expired(self) -> None:
        if not self._holders:
            for block in self._expired_blocks:
                block.delete()
            self._expired_blocks.clear()

    def delete(self) -> None:
        """Delete all events, for ever."""
        self.is_deleted = True
        for block in chain(self._expired_blocks, self._blocks):
            block.delete()

    def between(
        self, start: float, end: float, *, after: float | None = None, until: float = math.inf
    ) -> Iterator[ArchivedEvent]:
        """Yield the events whose time is from `start` to `end`, inclusive, and that were ingested in another period.

        It is the one after `after`, by default of the events that have not expired, until `until`, inclusive.
        """
        after = self.expired_until if after is None else after
        for block in chain(self._expired_blocks, self._blocks):
            if block.newest <= after or block.last_at < start or end < block.first_at:
                continue
            columns = block.columns()
            for row, (ingested_at, happened_at) in enumerate(zip(*columns[:2], strict=True)):
                if after < ingested_at <= until and start <= happened_at <= end:
                    yield ArchivedEvent(happened_at, ingested_at, block, row)


def read_events(archived: Iterable[ArchivedEvent]) -> Iterator[Event]:
    """Yield the archived events. Each block is decompressed once while consecutive events come from it."""
    for _, rows in groupby(archived, key=lambda one: id(one.block)):
        lines: list[bytes] = []
        for one in rows:
            lines = lines or one.block.lines()
            yield Event(json.loads(lines[one.row]), one.ingested_at)

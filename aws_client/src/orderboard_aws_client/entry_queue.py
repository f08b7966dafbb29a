"""The queue of entries that wait for a batch call, oldest first. `batcher` decides when they are sent."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Result = TypeVar("Result")


@dataclass(eq=False)  # compared by identity: two equal entries are both sent
class Waiting(Generic[Entry, Result]):
    """An entry and the future its caller awaits. waiting_since_s is a time of the event loop's clock."""

    entry: Entry
    size_bytes: int
    future: "asyncio.Future[Result]"
    waiting_since_s: float
    attempt: int = 1


class EntryQueue(Generic[Entry, Result]):
    """A FIFO queue from which any entry can be removed in constant time."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Waiting[Entry, Result], None] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Waiting[Entry, Result]]:
        return iter(self._entries)

    def __contains__(self, waiting: Waiting[Entry, Result]) -> bool:
        return waiting in self._entries

    def append(self, waiting: Waiting[Entry, Result]) -> None:
        """Add an entry at the end."""
        self._entries[waiting] = None
        self.size_bytes += waiting.size_bytes

    def remove(self, waiting: Waiting[Entry, Result]) -> None:
        """Remove an entry from any position."""
        del self._entries[waiting]
        self.size_bytes -= waiting.size_bytes

    def oldest(self) -> Waiting[Entry, Result]:
        """Return the entry that has waited longest; the queue must not be empty."""
        return next(iter(self._entries))

    def take_batch(self, max_entries: int, max_bytes: int) -> list[Waiting[Entry, Result]]:
        """Remove as many of the oldest entries as one call holds, and drop those whose caller was cancelled."""
        batch: list[Waiting[Entry, Result]] = []
        room_bytes = max_bytes
        while self._entries and len(batch) < max_entries:
            waiting = self.oldest()
            if not waiting.future.cancelled():
                room_bytes -= waiting.size_bytes
                if room_bytes < 0:
                    break
                batch.append(waiting)
            self.remove(waiting)
        return batch

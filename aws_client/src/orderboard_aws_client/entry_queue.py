"""The entries that wait for a call, oldest first, and which of them go together. When they go is batcher.py's."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Result = TypeVar("Result")


@dataclass(eq=False)  # an entry is itself: two equal ones are sent twice
class Waiting(Generic[Entry, Result]):
    """One caller's entry, and the future that the caller awaits. waits_since_s is of the event loop's clock."""

    entry: Entry
    size_bytes: int
    future: "asyncio.Future[Result]"
    waits_since_s: float
    attempt: int = 1


class EntryQueue(Generic[Entry, Result]):
    """First in, first out; an entry whose caller has gone can be taken from anywhere in it at no cost."""

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
        """Put an entry behind all others."""
        self._entries[waiting] = None
        self.size_bytes += waiting.size_bytes

    def remove(self, waiting: Waiting[Entry, Result]) -> None:
        """Take out an entry, wherever it stands."""
        del self._entries[waiting]
        self.size_bytes -= waiting.size_bytes

    def oldest(self) -> Waiting[Entry, Result]:
        """The entry that waits longest; the queue must not be empty."""
        return next(iter(self._entries))

    def take_batch(self, max_entries: int, max_bytes: int) -> list[Waiting[Entry, Result]]:
        """Take out as many of the oldest entries as one call holds; those whose caller has gone are dropped."""
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

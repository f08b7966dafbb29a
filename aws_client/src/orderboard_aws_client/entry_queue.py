"""The queue of entries that wait for a batch call, oldest first. `batcher` decides when they are sent."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Result = TypeVar("Result")


class Waiting(asyncio.Future[Result], Generic[Entry, Result]):
    """The future result of an entry. Cancelling it withdraws the entry if it still waits."""

    def __init__(self, entry: Entry, size_bytes: int, withdraw: "Callable[[Waiting[Entry, Result]], None]") -> None:
        super().__init__()
        self.entry = entry
        self.size_bytes = size_bytes
        self.attempt = 1
        self._withdraw = withdraw

    def cancel(self, msg: object = None) -> bool:
        """Withdraw the entry, and cancel those who await its result."""
        self._withdraw(self)
        return super().cancel(msg)

    def fail(self, failure: BaseException) -> None:
        """Raise the failure from those who await the result, if it has none yet."""
        if not self.done():
            self.set_exception(failure)
            self.exception()  # those who await it may be gone: asyncio would log a failure that nobody retrieved


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
        """Remove as many of the oldest entries as one call holds."""
        batch: list[Waiting[Entry, Result]] = []
        room_bytes = max_bytes
        while self._entries and len(batch) < max_entries:
            waiting = self.oldest()
            room_bytes -= waiting.size_bytes
            if room_bytes < 0:
                break
            batch.append(waiting)
            self.remove(waiting)
        return batch

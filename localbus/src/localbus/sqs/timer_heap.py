"""A heap of messages ordered by their next transition: due, visible again or expired.

Entries are invalidated lazily: when a message gets another time, its old entry stays until it comes up or until half of
the heap is invalid. That makes adding and taking O(log n), and discarding O(1) on average.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator

from localbus.sqs.message import Message


class TimerHeap:
    """A heap of (time, message). `is_valid` decides whether an entry still counts."""

    def __init__(self, is_valid: Callable[[float, Message], bool]) -> None:
        self._is_valid = is_valid
        self._heap: list[tuple[float, int, Message]] = []
        self._numbers = itertools.count()
        self._invalid = 0

    def add(self, when: float, message: Message) -> None:
        """Add an entry."""
        heapq.heappush(self._heap, (when, next(self._numbers), message))

    def restore(self, entries: Iterable[tuple[float, Message]]) -> None:
        """Fill the heap when the engine starts, at once: that is much faster than one by one."""
        self._heap = [(when, number, message) for (when, message), number in zip(entries, self._numbers, strict=False)]
        heapq.heapify(self._heap)

    def due(self, now: float) -> Iterator[Message]:
        """Remove and yield the messages that are due, earliest first."""
        while self._heap and self._heap[0][0] <= now:
            when, _, message = heapq.heappop(self._heap)
            if self._is_valid(when, message):
                yield message
            else:
                self._invalid = max(0, self._invalid - 1)

    def next(self) -> float | None:
        """Return the earliest time, or None when the heap is empty."""
        while self._heap and not self._is_valid(self._heap[0][0], self._heap[0][2]):
            heapq.heappop(self._heap)
            self._invalid = max(0, self._invalid - 1)
        return self._heap[0][0] if self._heap else None

    def discard(self) -> None:
        """Report that one entry has become invalid, so that invalid ones never outnumber the others for long."""
        self._invalid += 1
        if self._invalid > 64 and self._invalid * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if self._is_valid(entry[0], entry[2])]
            heapq.heapify(self._heap)
            self._invalid = 0

    def clear(self) -> None:
        """Remove all entries."""
        self._heap.clear()
        self._invalid = 0

"""Messages by the time at which something becomes of them, the earliest first.

A heap with void entries: when a message gets another deadline, its old entry stays until it comes up or until half of
the heap is void. That makes adding and taking O(log n), and forgetting free.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator

from localbus.sqs.message import Message


class Deadlines:
    """A heap of (time, message). `holds` says whether an entry still is true."""

    def __init__(self, holds: Callable[[float, Message], bool]) -> None:
        self._holds = holds
        self._heap: list[tuple[float, int, Message]] = []
        self._numbers = itertools.count()
        self._void = 0

    def add(self, when: float, message: Message) -> None:
        """Note that something becomes of the message at that time."""
        heapq.heappush(self._heap, (when, next(self._numbers), message))

    def due(self, now: float) -> Iterator[Message]:
        """Take out what has fallen due, in the order of the deadlines."""
        while self._heap and self._heap[0][0] <= now:
            when, _, message = heapq.heappop(self._heap)
            if self._holds(when, message):
                yield message
            else:
                self._void = max(0, self._void - 1)

    def next(self) -> float | None:
        """The next deadline, if there is one."""
        while self._heap and not self._holds(self._heap[0][0], self._heap[0][2]):
            heapq.heappop(self._heap)
            self._void = max(0, self._void - 1)
        return self._heap[0][0] if self._heap else None

    def forget(self) -> None:
        """Say that one entry has become void, so that void ones never outnumber the others for long."""
        self._void += 1
        if self._void > 64 and self._void * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if self._holds(entry[0], entry[2])]
            heapq.heapify(self._heap)
            self._void = 0

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._void = 0

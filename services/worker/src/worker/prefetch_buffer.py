"""The prefetch buffer: received messages that wait to be handled, in one bounded partition for each queue.

Express messages go first, without starving the work queue.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from worker.message import Lease
from worker.sqs_queue import MAX_BATCH

QUEUES: Final = ("express", "work")
# After this many express messages in a row, one from the work queue is taken, if there is one.
EXPRESS_STREAK: Final = 4


def next_queue(express_waiting: int, work_waiting: int, express_streak: int) -> str:
    """Choose the next queue; express_streak counts the express messages taken since the last one from work."""
    if not work_waiting:
        return "express"
    return "express" if express_waiting and express_streak < EXPRESS_STREAK else "work"


class Partition:
    """Buffered messages of one queue, and free slots; a poll reserves the slots that it may fill."""

    def __init__(self, capacity: int) -> None:
        self.waiting: deque[Lease] = deque()
        self._free = capacity
        self._least = min(MAX_BATCH, max(1, capacity // 2))  # a poll for fewer would waste a call
        self._slots_freed = asyncio.Event()
        self._closed = False

    async def reserve(self) -> int:
        """Wait until a poll is worthwhile, then reserve 1 to 10 slots for it; return 0 when the buffer is closed."""
        while not self._closed and self._free < self._least:
            self._slots_freed.clear()
            await self._slots_freed.wait()
        if self._closed:
            return 0
        reserved = min(MAX_BATCH, self._free)
        self._free -= reserved
        return reserved

    def release(self, slots: int) -> None:
        """Free slots that a poll did not fill, or whose message was taken."""
        self._free += slots
        self._slots_freed.set()

    def close(self) -> None:
        """Grant no further slots."""
        self._closed = True
        self._slots_freed.set()


class PrefetchBuffer:
    """The partitions between the receivers and the handlers."""

    def __init__(self, capacity: int) -> None:
        self.partitions = {name: Partition(capacity) for name in QUEUES}
        self._arrived = asyncio.Event()
        self._express_streak = 0
        self._finished = False

    def put(self, queue: str, leases: Iterable[Lease]) -> None:
        """Add messages, whose slots were reserved before."""
        self.partitions[queue].waiting.extend(leases)
        self._arrived.set()

    async def take(self, at_most: int) -> list[Lease]:
        """Remove the next messages, or wait for one; return none when the buffer is finished and empty."""
        while not any(partition.waiting for partition in self.partitions.values()):
            if self._finished:
                return []
            self._arrived.clear()
            await self._arrived.wait()
        taken: list[Lease] = []
        while len(taken) < at_most and (lease := self._next()) is not None:
            taken.append(lease)
        return taken

    def _next(self) -> Lease | None:
        express, work = (self.partitions[name] for name in QUEUES)
        if not (express.waiting or work.waiting):
            return None
        name = next_queue(len(express.waiting), len(work.waiting), self._express_streak)
        self._express_streak = self._express_streak + 1 if name == "express" else 0
        partition = self.partitions[name]
        partition.release(1)
        return partition.waiting.popleft()

    def close(self) -> None:
        """Grant no further slots; buffered messages can still be taken."""
        for partition in self.partitions.values():
            partition.close()

    def finish(self) -> None:
        """Declare that no more messages will be put."""
        self._finished = True
        self._arrived.set()

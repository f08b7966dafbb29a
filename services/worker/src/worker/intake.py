"""What was received and waits for a hand: one bounded lane for each queue, express first, the other not starved."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from worker.message import Held

LANES: Final = ("express", "work")
# After so many express messages in a row, one from the work lane, if there is one.
EXPRESS_STREAK: Final = 4
_POLL: Final = 10


def next_lane(express_waiting: int, work_waiting: int, express_streak: int) -> str:
    """Which lane is next; express_streak counts the express messages taken since the last from work."""
    if not work_waiting:
        return "express"
    return "express" if express_waiting and express_streak < EXPRESS_STREAK else "work"


class Lane:
    """Messages of one queue, and room for more; a poll reserves the room for what it may bring."""

    def __init__(self, capacity: int) -> None:
        self.waiting: deque[Held] = deque()
        self._free = capacity
        self._least = min(_POLL, max(1, capacity // 2))  # a poll for less would waste a call
        self._room = asyncio.Event()
        self._closed = False

    async def reserve(self) -> int:
        """Wait until a poll is worth it, and reserve room for its 1 to 10 messages; 0 when the intake is closed."""
        while not self._closed and self._free < self._least:
            self._room.clear()
            await self._room.wait()
        if self._closed:
            return 0
        reserved = min(_POLL, self._free)
        self._free -= reserved
        return reserved

    def unreserve(self, places: int) -> None:
        """Give back places that a poll did not fill, or that a hand has emptied."""
        self._free += places
        self._room.set()

    def close(self) -> None:
        """No more polls."""
        self._closed = True
        self._room.set()


class Intake:
    """The lanes between the receivers and the hands."""

    def __init__(self, capacity: int) -> None:
        self.lanes = {name: Lane(capacity) for name in LANES}
        self._arrived = asyncio.Event()
        self._express_streak = 0
        self._finished = False

    def put(self, lane: str, messages: Iterable[Held]) -> None:
        """Let messages wait in a lane; their places were reserved before."""
        self.lanes[lane].waiting.extend(messages)
        self._arrived.set()

    async def take(self) -> Held | None:
        """The next message; None when nothing waits and nothing will come."""
        express, work = (self.lanes[name] for name in LANES)
        while not (express.waiting or work.waiting):
            if self._finished:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        name = next_lane(len(express.waiting), len(work.waiting), self._express_streak)
        self._express_streak = self._express_streak + 1 if name == "express" else 0
        lane = self.lanes[name]
        lane.unreserve(1)
        return lane.waiting.popleft()

    def close(self) -> None:
        """No more polls; what waits can still be taken."""
        for lane in self.lanes.values():
            lane.close()

    def finish(self) -> None:
        """Nothing more will be put."""
        self._finished = True
        self._arrived.set()

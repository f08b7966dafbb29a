"""The visible messages of one message group, and a choice among many groups by the age of what is next in each."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from localbus.sqs.message import Message, State


class Lane:
    """Messages in the order of their places. What was deleted or hidden meanwhile stays until it comes to the front."""

    __slots__ = ("_fresh", "_returned", "_start", "group_id", "in_flight", "offered_place")

    def __init__(self, group_id: str | None = None) -> None:
        self.group_id = group_id
        self.in_flight = 0
        self.offered_place: float | None = None
        self._fresh: list[Message] = []  # from `_start` on; a deque of its own would cost each group half a KiB
        self._start = 0
        self._returned: list[tuple[float, Message]] = []

    def append(self, message: Message) -> None:
        """Put a message with a new place at the end."""
        self._fresh.append(message)

    def put_back(self, message: Message) -> None:
        """Return a message to its old place."""
        heapq.heappush(self._returned, (message.place, message))

    def head(self) -> Message | None:
        """The message that is next."""
        returned, fresh = self._returned, self._fresh
        while returned and returned[0][1].state is not State.VISIBLE:
            heapq.heappop(returned)
        while self._start < len(fresh) and fresh[self._start].state is not State.VISIBLE:
            self._step()
        if self._start == len(fresh):
            return returned[0][1] if returned else None
        head = fresh[self._start]
        return returned[0][1] if returned and returned[0][0] < head.place else head

    def take(self) -> Message:
        """Take the message that `head` has just shown."""
        returned, fresh = self._returned, self._fresh
        if returned and (self._start == len(fresh) or returned[0][0] < fresh[self._start].place):
            return heapq.heappop(returned)[1]
        message = fresh[self._start]
        self._step()
        return message

    def _step(self) -> None:
        self._start += 1
        if self._start > 32 and self._start * 2 > len(self._fresh):
            del self._fresh[: self._start]
            self._start = 0

    def __iter__(self) -> Iterator[Message]:
        """The visible messages; one that was put back may come twice."""
        for message in (*(entry[1] for entry in self._returned), *self._fresh[self._start :]):
            if message.state is State.VISIBLE:
                yield message


class OldestFirst:
    """Lanes by the place of their heads. Each lane has at most one entry that counts, the one at `offered_place`."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Lane]] = []

    def offer(self, lane: Lane) -> None:
        """Enter a lane, or enter it anew because its head may have changed."""
        head = lane.head()
        place = head.place if head is not None else None
        if place is not None and lane.offered_place != place:
            heapq.heappush(self._heap, (place, id(lane), lane))
        lane.offered_place = place

    def pop(self) -> Lane | None:
        """Take the lane whose head is the oldest."""
        while self._heap:
            place, _, lane = heapq.heappop(self._heap)
            if lane.offered_place != place:
                continue
            lane.offered_place = None
            head = lane.head()
            if head is not None and head.place == place:
                return lane
            self.offer(lane)
        return None

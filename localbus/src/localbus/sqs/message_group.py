"""The visible messages of one message group, and a heap of groups by the position of their next message."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from localbus.sqs.message import Message, State


class MessageGroup:
    """Visible messages by position. Messages deleted or received elsewhere stay until they come to the front."""

    __slots__ = ("_new", "_returned", "_start", "group_id", "in_flight", "offered_position")

    def __init__(self, group_id: str | None = None) -> None:
        self.group_id = group_id
        self.in_flight = 0
        self.offered_position: float | None = None  # its valid entry in a GroupHeap
        self._new: list[Message] = []  # from `_start` on; a deque would cost each group half a KiB
        self._start = 0
        self._returned: list[tuple[float, Message]] = []

    def append(self, message: Message) -> None:
        """Add a message whose position is the last."""
        self._new.append(message)

    def insert(self, message: Message) -> None:
        """Add a message at its position, such as one that was in flight."""
        heapq.heappush(self._returned, (message.position, message))

    def head(self) -> Message | None:
        """Return the next message without removing it."""
        returned, new = self._returned, self._new
        while returned and returned[0][1].state is not State.VISIBLE:
            heapq.heappop(returned)
        while self._start < len(new) and new[self._start].state is not State.VISIBLE:
            self._advance()
        if self._start == len(new):
            return returned[0][1] if returned else None
        head = new[self._start]
        return returned[0][1] if returned and returned[0][0] < head.position else head

    def take(self) -> Message:
        """Remove and return the message that `head` has just returned."""
        returned, new = self._returned, self._new
        if returned and (self._start == len(new) or returned[0][0] < new[self._start].position):
            return heapq.heappop(returned)[1]
        message = new[self._start]
        self._advance()
        return message

    def _advance(self) -> None:
        self._start += 1
        if self._start > 32 and self._start * 2 > len(self._new):
            del self._new[: self._start]
            self._start = 0

    def __iter__(self) -> Iterator[Message]:
        """Yield the visible messages; one that was inserted may come twice."""
        for message in (*(entry[1] for entry in self._returned), *self._new[self._start :]):
            if message.state is State.VISIBLE:
                yield message


class GroupHeap:
    """Groups by the position of their heads. Of a group's entries only the one at `offered_position` is valid."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, MessageGroup]] = []

    def offer(self, group: MessageGroup) -> None:
        """Add a group, or update it because its head may have changed."""
        head = group.head()
        position = head.position if head is not None else None
        if position is not None and group.offered_position != position:
            heapq.heappush(self._heap, (position, id(group), group))
        group.offered_position = position

    def pop(self) -> MessageGroup | None:
        """Remove and return the group with the oldest head."""
        while self._heap:
            position, _, group = heapq.heappop(self._heap)
            if group.offered_position != position:
                continue
            group.offered_position = None
            head = group.head()
            if head is not None and head.position == position:
                return group
            self.offer(group)
        return None

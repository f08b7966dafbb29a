"""The visible messages of a FIFO queue: strictly in order within each message group.

A message is offered only when every earlier one of its group is deleted: while one is in flight, later ones wait. The
exception is a single receive, which takes as many as it can from the group whose turn it is before it goes on to the
next. Groups take turns: one whose message was returned, or whose turn was held up, comes after those that wait.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from operator import attrgetter

from localbus.sqs.message import Message, State
from localbus.sqs.message_group import MessageGroup


class FifoGroup(MessageGroup):
    """A message group that knows its first message in flight."""

    __slots__ = ("_in_flight_heap", "is_waiting")

    def __init__(self, group_id: str) -> None:
        super().__init__(group_id)
        self.is_waiting = False  # for its turn
        self._in_flight_heap: list[tuple[float, Message]] = []

    def mark_in_flight(self, message: Message) -> None:
        """Account for a message that a receive returns."""
        self.in_flight += 1
        heapq.heappush(self._in_flight_heap, (message.position, message))

    def first_in_flight(self) -> float:
        """Return the position of the first message in flight; infinity without one."""
        while self._in_flight_heap and self._in_flight_heap[0][1].state is not State.IN_FLIGHT:
            heapq.heappop(self._in_flight_heap)
        return self._in_flight_heap[0][0] if self._in_flight_heap else float("inf")

    def has_next_before(self, position: float) -> bool:
        """Return whether the next message comes before that position."""
        head = self.head()
        return head is not None and head.position < position


class FifoOrder:
    """The order of a FIFO queue."""

    def __init__(self) -> None:
        self._positions = itertools.count(1)
        self.clear()

    def clear(self) -> None:
        """Remove all messages."""
        self._groups: dict[str, FifoGroup] = {}
        self._turns: deque[FifoGroup] = deque()

    def add(self, message: Message) -> None:
        """Add a message at the end of its group."""
        message.position = next(self._positions)
        group = self._group(message)
        group.append(message)
        self._line_up(group)

    def restore(self, messages: Iterable[Message]) -> None:
        """Add the visible messages, and account for those in flight, when the engine starts."""
        for message, position in zip(messages, self._positions, strict=False):
            message.position = position
            group = self._group(message)
            if message.state is State.VISIBLE:
                group.append(message)
            else:
                group.mark_in_flight(message)
        for group in self._groups.values():
            self._line_up(group)

    def requeue(self, message: Message) -> None:
        """Add a message that was in flight: before all later ones of its group."""
        group = self._group(message)
        group.in_flight -= 1
        group.insert(message)
        self._line_up(group)

    def next_batch(self) -> Iterator[Message]:
        """Take messages for one receive, one at a time."""
        while self._turns:
            group = self._turns.popleft()
            group.is_waiting = False
            limit = group.first_in_flight()
            while group.has_next_before(limit):
                message = group.take()
                group.mark_in_flight(message)
                yield message

    def remove(self, message: Message, *, taken: bool) -> None:
        """Account for a deleted message: its group may go on. A group without messages is removed."""
        group = self._group(message)
        group.in_flight -= taken
        if group.in_flight == 0 and group.head() is None:
            del self._groups[group.group_id or ""]
        else:
            self._line_up(group)

    def groups_in_flight(self) -> int:
        """Return how many groups have messages in flight."""
        return sum(group.in_flight > 0 for group in self._groups.values())

    def __iter__(self) -> Iterator[Message]:
        """Yield the visible messages in the order in which they were sent."""
        found = {message.message_id: message for group in self._groups.values() for message in group}
        return iter(sorted(found.values(), key=attrgetter("position")))

    def _group(self, message: Message) -> FifoGroup:
        group_id = message.group_id or ""
        if group_id not in self._groups:
            self._groups[group_id] = FifoGroup(group_id)
        return self._groups[group_id]

    def _line_up(self, group: FifoGroup) -> None:
        """Put a group that has something to offer at the end of the turns."""
        if not group.is_waiting and group.has_next_before(group.first_in_flight()):
            group.is_waiting = True
            self._turns.append(group)

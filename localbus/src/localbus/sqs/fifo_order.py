"""The order in which a FIFO queue offers its messages: strictly by group, and a group waits for its own.

A message is offered only when every earlier one of its group is gone: while one is in flight, later ones wait. The
exception is one receive by itself, which takes as many as it can from the group whose turn it is before it goes on to
the next. Groups take turns: one whose message was given back, or whose turn was held up, comes after those that wait.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator
from operator import attrgetter

from localbus.sqs.message import Message, State
from localbus.sqs.message_group import Lane


class Group(Lane):
    """A lane that knows which of its messages in flight is the first."""

    __slots__ = ("_flying", "is_waiting")

    def __init__(self, group_id: str) -> None:
        super().__init__(group_id)
        self.is_waiting = False  # in the row of groups
        self._flying: list[tuple[float, Message]] = []

    def fly(self, message: Message) -> None:
        """Note that a message is handed out."""
        self.in_flight += 1
        heapq.heappush(self._flying, (message.place, message))

    def first_in_flight(self) -> float:
        """The place of the first message in flight; without one, no place is too late."""
        while self._flying and self._flying[0][1].state is not State.IN_FLIGHT:
            heapq.heappop(self._flying)
        return self._flying[0][0] if self._flying else float("inf")

    def next_before(self, place: float) -> Message | None:
        """The next message, if it comes before that place."""
        head = self.head()
        return head if head is not None and head.place < place else None


class GroupOrder:
    """All visible messages of a FIFO queue."""

    def __init__(self) -> None:
        self._places = itertools.count(1)
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a purge does."""
        self._groups: dict[str, Group] = {}
        self._row: deque[Group] = deque()

    def join(self, message: Message) -> None:
        """A message becomes visible for the first time: it goes to the end of its group."""
        message.place = next(self._places)
        group = self._group(message)
        group.append(message)
        self._line_up(group)

    def rejoin(self, message: Message) -> None:
        """A message comes back: it is before all later ones of its group."""
        group = self._group(message)
        group.put_back(message)
        self._line_up(group)

    def batch(self) -> Iterator[Message]:
        """Take messages for one receive, one by one. Each counts as in flight until it has `landed`."""
        while self._row:
            group = self._row.popleft()
            group.is_waiting = False
            limit = group.first_in_flight()
            while group.next_before(limit) is not None:
                message = group.take()
                group.fly(message)
                yield message

    def landed(self, message: Message) -> None:
        """A message is no longer in flight: its group may go on."""
        group = self._group(message)
        group.in_flight -= 1
        self._line_up(group)

    def departed(self, message: Message) -> None:
        """A message is gone; a group without messages is forgotten."""
        group = self._group(message)
        if group.in_flight == 0 and group.head() is None:
            del self._groups[message.group_id or ""]
        else:
            self._line_up(group)

    def __iter__(self) -> Iterator[Message]:
        """The visible messages in the order in which they were sent, for a peek."""
        found = {message.message_id: message for group in self._groups.values() for message in group}
        return iter(sorted(found.values(), key=attrgetter("place")))

    def _group(self, message: Message) -> Group:
        group_id = message.group_id or ""
        group = self._groups.get(group_id)
        if group is None:
            group = self._groups[group_id] = Group(group_id)
        return group

    def _line_up(self, group: Group) -> None:
        """Put a group that has something to offer at the end of the row."""
        if not group.is_waiting and group.next_before(group.first_in_flight()) is not None:
            group.is_waiting = True
            self._row.append(group)

"""The order in which a FIFO queue offers its messages: strictly by group, and a group waits for its own.

While a message of a group is in flight, no other of that group is offered, except within the one receive that took it:
a receive takes as many as it can from the group whose turn it is before it goes on to the next.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from operator import attrgetter

from localbus.lane import Lane, OldestFirst
from localbus.message import Message


class GroupOrder:
    """All visible messages of a FIFO queue. The turn goes to the group whose next message is the oldest."""

    def __init__(self) -> None:
        self._places = itertools.count(1)
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a purge does."""
        self._groups: dict[str, Lane] = {}
        self._ready = OldestFirst()

    def join(self, message: Message) -> None:
        """A message becomes visible for the first time: it goes to the end of its group."""
        message.place = next(self._places)
        group = self._group(message)
        group.append(message)
        self._offer(group)

    def rejoin(self, message: Message) -> None:
        """A message comes back: it is before all later ones of its group."""
        group = self._group(message)
        group.put_back(message)
        self._offer(group)

    def batch(self) -> Iterator[Message]:
        """Take messages for one receive, one by one. Each counts as in flight until it has `landed`."""
        while (group := self._ready.pop()) is not None:
            while group.head() is not None:
                message = group.take()
                group.in_flight += 1
                yield message
                if group.in_flight == 0:  # it went to the dead-letter queue: whether the group goes on is seen anew
                    self._offer(group)
                    break

    def landed(self, message: Message) -> None:
        """A message is no longer in flight: its group may be free again."""
        group = self._group(message)
        group.in_flight -= 1
        self._offer(group)

    def departed(self, message: Message) -> None:
        """A message is gone; a group without messages is forgotten."""
        group = self._group(message)
        if group.in_flight == 0 and group.head() is None:
            del self._groups[group.group_id or ""]

    def __iter__(self) -> Iterator[Message]:
        """The visible messages in the order in which they were sent, for a peek."""
        found = {message.message_id: message for group in self._groups.values() for message in group}
        return iter(sorted(found.values(), key=attrgetter("place")))

    def _group(self, message: Message) -> Lane:
        group_id = message.group_id or ""
        group = self._groups.get(group_id)
        if group is None:
            group = self._groups[group_id] = Lane(group_id)
        return group

    def _offer(self, group: Lane) -> None:
        if group.in_flight == 0:
            self._ready.offer(group)

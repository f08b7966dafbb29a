"""The visible messages of a standard queue: oldest first, and fair between tenants.

AWS promises best-effort ordering only. This implementation is stricter: oldest first, with two rules of AWS. A message
that was received three times without being deleted goes to the back. Messages of a tenant (a message group) that uses
more than its share of the consumers wait for those of the other tenants.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Protocol

from localbus.sqs.message import Message, State
from localbus.sqs.message_group import GroupHeap, MessageGroup

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
RECEIVES_BEFORE_THE_BACK = 3
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
NOISY_IN_FLIGHT = 30
NOISY_SHARE = 0.1


class MessageOrder(Protocol):
    """Visible messages in delivery order: `ReadyQueue` for a standard queue, `FifoOrder` for a FIFO queue."""

    def add(self, message: Message) -> None:
        """Add a message that becomes visible for the first time."""

    def restore(self, messages: Iterable[Message]) -> None:
        """Add the visible messages, and account for those in flight, when the engine starts: in the order of sending.

        One that was in flight comes, when it is visible again, where it was sent.
        """

    def requeue(self, message: Message) -> None:
        """Add a message that was in flight."""

    def next_batch(self) -> Iterator[Message]:
        """Take messages for one receive, one at a time. Each counts as in flight until `requeue` or `remove`."""

    def remove(self, message: Message, *, taken: bool) -> None:
        """Account for a deleted message. `taken` says that `next_batch` had yielded it."""

    def clear(self) -> None:
        """Remove all messages."""

    def __iter__(self) -> Iterator[Message]:
        """Yield the visible messages in the order of their positions."""


class ReadyQueue:
    """The order of a standard queue. As long as no message has a group there is one group and nothing to choose."""

    def __init__(self) -> None:
        self._positions = itertools.count(1)
        self.clear()

    def clear(self) -> None:
        """Remove all messages."""
        self._ungrouped = MessageGroup()
        self._tenants: dict[str, MessageGroup] = {}
        self._quiet = GroupHeap()
        self._noisy: list[MessageGroup] = []  # at most nine: each has more than a tenth
        self._in_flight = 0

    def add(self, message: Message) -> None:
        """Add a message at the back."""
        message.position = next(self._positions)
        group = self._group(message)
        group.append(message)
        self._offer(group)

    def restore(self, messages: Iterable[Message]) -> None:
        """Add the visible messages, and account for those in flight, when the engine starts."""
        for message, position in zip(messages, self._positions, strict=False):
            message.position = position
            group = self._group(message)
            if message.state is State.VISIBLE:
                group.append(message)
            else:
                self._in_flight += 1
                group.in_flight += 1
        for group in (self._ungrouped, *self._tenants.values()):
            self._offer(group)

    def requeue(self, message: Message) -> None:
        """Add a message that was in flight: at its position, or at the back after three receives."""
        self._on_returned(message)
        if message.receive_count >= RECEIVES_BEFORE_THE_BACK:
            self.add(message)
        else:
            self._insert(message)

    def next_batch(self) -> Iterator[Message]:
        """Take messages for one receive, one at a time."""
        while (group := self._next_group()) is not None:
            message = group.take()
            self._in_flight += 1
            group.in_flight += 1
            self._offer(group)
            yield message

    def remove(self, message: Message, *, taken: bool) -> None:
        """Account for a deleted message. Its entry goes when it comes to the front; an empty group goes at once."""
        if taken:
            self._on_returned(message)
        group = self._group(message)
        if message.group_id is not None and group.in_flight == 0 and group.head() is None:
            del self._tenants[message.group_id]
            if group in self._noisy:
                self._noisy.remove(group)

    def __iter__(self) -> Iterator[Message]:
        """Yield the visible messages in order, without regard to fairness."""
        groups = (self._ungrouped, *self._tenants.values())
        found = {message.message_id: message for group in groups for message in group}
        return iter(sorted(found.values(), key=attrgetter("position")))

    def _insert(self, message: Message) -> None:
        group = self._group(message)
        group.insert(message)
        self._offer(group)

    def _on_returned(self, message: Message) -> None:
        self._in_flight -= 1
        self._group(message).in_flight -= 1

    def _group(self, message: Message) -> MessageGroup:
        if message.group_id is None:
            return self._ungrouped
        group = self._tenants.get(message.group_id)
        if group is None:
            if not self._tenants:
                self._quiet = GroupHeap()
                self._ungrouped.offered_position = None
                self._quiet.offer(self._ungrouped)
            group = self._tenants[message.group_id] = MessageGroup(message.group_id)
        return group

    def _offer(self, group: MessageGroup) -> None:
        if self._tenants:
            self._quiet.offer(group)

    def _next_group(self) -> MessageGroup | None:
        """Return the quiet tenant with the oldest head; without one, the noisy tenant with the fewest in flight."""
        if not self._tenants:
            return self._ungrouped if self._ungrouped.head() is not None else None
        for group in [group for group in self._noisy if not self._exceeds_fair_share(group)]:
            self._noisy.remove(group)
            self._quiet.offer(group)
        while (next_group := self._quiet.pop()) is not None:
            if not self._exceeds_fair_share(next_group):
                return next_group
            if next_group not in self._noisy:
                self._noisy.append(next_group)
        waiting = [group for group in self._noisy if group.head() is not None]
        return min(waiting, key=attrgetter("in_flight"), default=None)

    def _exceeds_fair_share(self, group: MessageGroup) -> bool:
        if group is self._ungrouped:  # each message without a group is its own tenant
            return False
        return group.in_flight >= NOISY_IN_FLIGHT and group.in_flight > NOISY_SHARE * self._in_flight

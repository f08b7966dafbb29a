"""The order in which a standard queue offers its visible messages: oldest first, and fair between tenants.

AWS promises best-effort order only. This is a kind order, with two rules of AWS in it: a message that was received
three times without being deleted goes to the back, and messages of a tenant (a message group) that takes up more than
its share of the consumers wait for those of the quiet ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from operator import attrgetter

from localbus.sqs.message import Message
from localbus.sqs.message_group import Lane, OldestFirst

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
RECEIVES_BEFORE_THE_BACK = 3
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
NOISY_IN_FLIGHT = 30
NOISY_SHARE = 0.1


class Line:
    """All visible messages of a standard queue.

    As long as no message names a group, there is one lane and nothing to choose between.
    """

    def __init__(self) -> None:
        self._places = itertools.count(1)
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a purge does."""
        self._ungrouped = Lane()
        self._tenants: dict[str, Lane] = {}
        self._quiet = OldestFirst()
        self._noisy: list[Lane] = []  # nine at most: each has more than a tenth
        self._in_flight = 0

    def join(self, message: Message) -> None:
        """A message becomes visible for the first time: it goes to the back."""
        message.place = next(self._places)
        lane = self._lane(message)
        lane.append(message)
        self._offer(lane)

    def rejoin(self, message: Message) -> None:
        """A message was given back, or its visibility timeout has passed."""
        if message.receive_count >= RECEIVES_BEFORE_THE_BACK:
            self.join(message)
            return
        lane = self._lane(message)
        lane.put_back(message)
        self._offer(lane)

    def batch(self) -> Iterator[Message]:
        """Take messages for one receive, one by one. Each counts as in flight until it has `landed`."""
        while (lane := self._next_lane()) is not None:
            message = lane.take()
            self._in_flight += 1
            lane.in_flight += 1
            self._offer(lane)
            yield message

    def landed(self, message: Message) -> None:
        """A message is no longer in flight."""
        self._in_flight -= 1
        self._lane(message).in_flight -= 1

    def departed(self, message: Message) -> None:
        """A message is gone. Its entry goes when it comes to the front; an empty lane goes now."""
        lane = self._lane(message)
        if message.group_id is not None and lane.in_flight == 0 and lane.head() is None:
            del self._tenants[message.group_id]
            if lane in self._noisy:
                self._noisy.remove(lane)

    def __iter__(self) -> Iterator[Message]:
        """The visible messages in their order, fairness aside, for a peek."""
        lanes = (self._ungrouped, *self._tenants.values())
        found = {message.message_id: message for lane in lanes for message in lane}
        return iter(sorted(found.values(), key=attrgetter("place")))

    def _lane(self, message: Message) -> Lane:
        if message.group_id is None:
            return self._ungrouped
        lane = self._tenants.get(message.group_id)
        if lane is None:
            if not self._tenants:
                self._quiet = OldestFirst()
                self._ungrouped.offered_place = None
                self._quiet.offer(self._ungrouped)
            lane = self._tenants[message.group_id] = Lane(message.group_id)
        return lane

    def _offer(self, lane: Lane) -> None:
        if self._tenants:
            self._quiet.offer(lane)

    def _next_lane(self) -> Lane | None:
        """The quiet tenant whose head is oldest; without one, the noisy tenant with the fewest in flight."""
        if not self._tenants:
            return self._ungrouped if self._ungrouped.head() is not None else None
        for calmed in [lane for lane in self._noisy if not self._is_noisy(lane)]:
            self._noisy.remove(calmed)
            self._quiet.offer(calmed)
        while (lane := self._quiet.pop()) is not None:
            if not self._is_noisy(lane):
                return lane
            if lane not in self._noisy:
                self._noisy.append(lane)
        waiting = [lane for lane in self._noisy if lane.head() is not None]
        return min(waiting, key=attrgetter("in_flight"), default=None)

    def _is_noisy(self, lane: Lane) -> bool:
        if lane is self._ungrouped:  # each message without a group is a tenant of its own
            return False
        return lane.in_flight >= NOISY_IN_FLIGHT and lane.in_flight > NOISY_SHARE * self._in_flight

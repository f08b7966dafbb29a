"""What a queue is.

A message that is sent is *delayed* or *visible* at once. A receive takes visible messages out of the line and puts them
*in flight*: nobody else gets them until their visibility timeout has passed, then they are visible again. A delete with
the handle of the last receive makes an end of a message; so does its age, when it has been kept as long as the queue
keeps messages. A message that comes up for a receive after it has been received often enough goes to the dead-letter
queue instead. A receive that finds nothing may wait; those that wait are served in order, and at once when a message
comes.

    send --> delayed --(due)--> visible --(receive)--> in flight --(delete)--> gone
                                   ^                       |
                                   +--(timeout, or given back)

What a message is says `message`; in which order visible ones are offered, `line`; when a delayed, hidden or old one is
due, `deadlines`; how a handle is written, `receipt`; and who waits, `waiting`. What a FIFO queue does otherwise says
`fifo_queue`.

Nothing here happens by itself. Every action first brings the queue up to date (`settle`), and a timer is set only while
somebody waits. Each step costs O(log n) or less in the number of messages, whatever lies in the queue.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ (DeleteMessage, ChangeMessageVisibility)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from localbus.clock import Clock
from localbus.journal import Journal
from localbus.sqs import queue_settings
from localbus.sqs.errors import beyond_limit, no_handle, unavailable
from localbus.sqs.long_polling import Waiters, Waiting
from localbus.sqs.message import Counts, Message, Received, State
from localbus.sqs.order import Order
from localbus.sqs.queue_settings import MAX_VISIBILITY_TIMEOUT_S, Settings
from localbus.sqs.ready_queue import Line
from localbus.sqs.receipt_handle import Receipts
from localbus.sqs.timer_heap import Deadlines


class Queue:
    """A standard queue."""

    is_fifo = False

    def __init__(self, name: str, arn: str, clock: Clock, journal: Journal) -> None:
        self.name = name
        self.arn = arn
        self.settings = Settings()
        self.dead_letter_queue: Callable[[], Queue | None] = lambda: None
        self._clock = clock
        self._journal = journal
        self._receipts = Receipts()
        self._messages: dict[str, Message] = {}
        self._order: Order = Line()
        self._delayed = Deadlines(lambda when, m: m.state is State.DELAYED and m.until == when)
        self._in_flight = Deadlines(lambda when, m: m.state is State.IN_FLIGHT and m.until == when)
        self._by_age = Deadlines(lambda _when, m: m.state is not State.GONE)
        self._count = dict.fromkeys(State, 0)
        self._waiters = Waiters(clock, self._look_again)

    # Sending

    def send(self, message: Message, delay_s: int | None = None) -> None:
        """Take in a message. Without a delay of its own it has the queue's."""
        self.settle()
        message.sent_at = self._clock.now()
        self._take_in(message, self.settings.delay_s if delay_s is None else delay_s)
        self._journal.note("sent", self.arn, message.message_id, message.sent_at)
        self._serve()

    def put_dead_letter(self, message: Message, source_arn: str) -> None:
        """Take in a message that its queue gave up. It keeps its age on a standard queue.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        self.settle()
        message.source_arn = source_arn
        self._take_in(message, 0)
        self._serve()

    def _take_in(self, message: Message, delay_s: float) -> None:
        self._messages[message.message_id] = message
        self._by_age.add(message.sent_at, message)
        message.state = State.DELAYED if delay_s > 0 else State.VISIBLE
        self._count[message.state] += 1
        if delay_s > 0:
            self._delay(message, delay_s)
        else:
            self._order.join(message)

    def _delay(self, message: Message, delay_s: float) -> None:
        message.until = self._clock.now() + delay_s
        self._delayed.add(message.until, message)

    # Receiving

    def receive(self, most: int, visibility_timeout_s: int | None = None) -> list[Received]:
        """Take up to so many visible messages, now. Fewer when too many are in flight already."""
        self.settle()
        return self._take(most, self._timeout(visibility_timeout_s))

    def receive_later(self, most: int, visibility_timeout_s: int | None, wait_s: float) -> Waiting:
        """Wait for messages: until there is one, or so many seconds. Cancel the future to stop waiting."""
        future = self._waiters.add(most, self._timeout(visibility_timeout_s), wait_s)
        self._serve()
        return future

    def _timeout(self, visibility_timeout_s: int | None) -> int:
        """What a receive asks for, or the queue's."""
        return self.settings.visibility_timeout_s if visibility_timeout_s is None else visibility_timeout_s

    @property
    def is_in_flight_full(self) -> bool:
        """Whether no more messages may be in flight."""
        return self._count[State.IN_FLIGHT] >= queue_settings.MAX_IN_FLIGHT

    def _take(self, most: int, visibility_timeout_s: int) -> list[Received]:
        now = self._clock.now()
        received: list[Received] = []
        offers = self._order.batch()
        while len(received) < most and not self.is_in_flight_full and (message := next(offers, None)):
            if not self._move_to_dead_letters(message):
                received.append(self._hand_out(message, now, visibility_timeout_s))
        return received

    def _hand_out(self, message: Message, now: float, visibility_timeout_s: int) -> Received:
        message.receive_count += 1
        message.receive_number += 1
        message.received_at = now
        if message.first_received_at is None:
            message.first_received_at = now
        self._hide(message, now + visibility_timeout_s)
        self._journal.note("received", self.arn, message.message_id, now, message.receive_count)
        return Received(message, self._receipts.write(message.message_id, message.receive_number))

    def _hide(self, message: Message, until: float) -> None:
        self._change_state(message, State.IN_FLIGHT)
        message.until = until
        self._in_flight.add(until, message)

    def _move_to_dead_letters(self, message: Message) -> bool:
        """Whether the message has been received often enough, and is now in the dead-letter queue."""
        limit = self.settings.max_receive_count
        if limit is None or message.receive_count < limit:
            return False
        target = self.dead_letter_queue()
        if target is None:
            return False
        self._journal.note("moved", self.arn, message.message_id, self._clock.now(), target.arn)
        target.put_dead_letter(self._give_up(message), self.arn)
        return True

    def take_out(self) -> Message | None:
        """Take the next visible message away for good, for whoever moves messages elsewhere."""
        self.settle()
        message = next(self._order.batch(), None)
        return self._give_up(message) if message is not None else None

    def _give_up(self, message: Message) -> Message:
        """A message that was just offered, for another queue: here it is gone."""
        self._order.landed(message)
        self._drop(message)
        return copy.copy(message)

    # Deleting and changing visibility

    def delete(self, handle: str) -> None:
        """Delete the message of that receive. An old handle deletes nothing, and says nothing of it."""
        self.settle()
        message, is_newest = self._find(handle)
        if message is not None and is_newest:
            self._remove(message)
            self._journal.note("deleted", self.arn, message.message_id, self._clock.now())
            self._serve()

    def change_visibility(self, handle: str, timeout_s: int) -> None:
        """Let a message be visible again so many seconds from now; 0 gives it back. An old handle does as well."""
        self.settle()
        message, _ = self._find(handle)
        if message is None:
            raise unavailable(handle)
        now = self._clock.now()
        if now + timeout_s > message.received_at + MAX_VISIBILITY_TIMEOUT_S:
            raise beyond_limit(timeout_s, MAX_VISIBILITY_TIMEOUT_S)
        if message.state is State.IN_FLIGHT:
            self._in_flight.forget()
            self._journal.note("hidden", self.arn, message.message_id, now, timeout_s)
            self._hide(message, now + timeout_s)
        self.settle()  # a timeout of 0 is over already
        self._serve()

    def _find(self, handle: str) -> tuple[Message | None, bool]:
        """The message that was received with this handle, unless it is gone, and whether that was its last receive."""
        receipt = self._receipts.read(handle)
        if receipt is None:
            raise no_handle(handle)
        message = self._messages.get(receipt.message_id)
        return message, message is not None and message.receive_number == receipt.receive_number

    def _remove(self, message: Message) -> None:
        """Make an end of a message, wherever it is."""
        if message.state is State.IN_FLIGHT:
            self._in_flight.forget()
            self._order.landed(message)
        elif message.state is State.DELAYED:
            self._delayed.forget()
        self._drop(message)

    def _drop(self, message: Message) -> None:
        was_delayed = message.state is State.DELAYED
        self._change_state(message, State.GONE)
        self._by_age.forget()
        del self._messages[message.message_id]
        if not was_delayed:  # a delayed one has never been in the order
            self._order.departed(message)

    # Time

    def settle(self) -> None:
        """Bring the queue up to the present: what has been delayed, hidden or kept long enough."""
        now = self._clock.now()
        self._settle_delayed(now)
        for message in self._in_flight.due(now):
            self._change_state(message, State.VISIBLE)
            self._order.landed(message)
            self._order.rejoin(message)
            self._journal.note("visible", self.arn, message.message_id, message.until)
        for message in self._by_age.due(now - self.settings.retention_s):
            self._remove(message)
            self._journal.note("expired", self.arn, message.message_id, now)

    def _settle_delayed(self, now: float) -> None:
        for message in self._delayed.due(now):
            self._change_state(message, State.VISIBLE)
            self._order.join(message)

    def _change_state(self, message: Message, state: State) -> None:
        self._count[message.state] -= 1
        self._count[state] += 1
        message.state = state

    # Those who wait

    def _serve(self) -> None:
        """Give visible messages to those who wait; while somebody still does, look again when the next is visible."""
        while self._waiters and self._count[State.VISIBLE] and self._waiters.serve_first(self._take):
            pass
        if self._waiters:
            times = [when for when in (self._next_due(), self._in_flight.next()) if when is not None]
            self._waiters.wake_at(min(times, default=None))

    def _next_due(self) -> float | None:
        return self._delayed.next()

    def _look_again(self) -> None:
        self.settle()
        self._serve()

    # The whole queue

    def counts(self) -> Counts:
        """How many messages are visible, in flight and delayed."""
        self.settle()
        return Counts(self._count[State.VISIBLE], self._count[State.IN_FLIGHT], self._count[State.DELAYED])

    def purge(self) -> None:
        """Delete every message, wherever it is."""
        self._clear()
        self._journal.note("purged", self.arn, "", self._clock.now())

    def close(self) -> None:
        """The queue is deleted: whoever waits gets nothing."""
        self._clear()
        self._waiters.send_away()
        self._serve()

    def oldest_sent_at(self) -> float | None:
        """When the oldest message was sent, wherever in the queue it is; None when there is none."""
        self.settle()
        return self._by_age.next()

    def peek(self) -> Iterator[Message]:
        """Every message, without receiving it: visible ones in their order, then those in flight, then delayed ones."""
        self.settle()
        yield from list(self._order)
        for state in (State.IN_FLIGHT, State.DELAYED):
            yield from [message for message in self._messages.values() if message.state is state]

    def _clear(self) -> None:
        for message in self._messages.values():
            message.state = State.GONE
        self._messages.clear()
        self._order.clear()
        for deadlines in (self._delayed, self._in_flight, self._by_age):
            deadlines.clear()
        self._count = dict.fromkeys(State, 0)

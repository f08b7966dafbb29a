"""A standard queue.

    send --> delayed --(due)--> visible --(receive)--> in flight --(delete)--> deleted
                                   ^                       |
                                   +-- (visibility timeout)+

A message is deleted with the receipt handle of any of its receives, or when it exceeds the retention period. A receive
moves a message to the dead-letter queue instead of returning it when it has been received `maxReceiveCount` times. A
receive that finds nothing may wait (long polling); waiting receives are served in order.

Transitions that are due are applied by the next action (`apply_due_transitions`); a timer runs only while a receive
waits. Each step costs O(log n) or less in the number of messages.

See `message` for the message itself, `ready_queue` for delivery order, `timer_heap` for due transitions, `long_polling`
for waiting receives and `fifo_queue` for the differences of a FIFO queue.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ (DeleteMessage, ChangeMessageVisibility)
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator

from localbus.clock import Clock
from localbus.journal import Journal, Loss
from localbus.sqs.counters import QueueCounters
from localbus.sqs.errors import beyond_limit, invalid_handle, unavailable
from localbus.sqs.long_polling import LongPoll, LongPolls
from localbus.sqs.message import Counts, Message, Received, State
from localbus.sqs.message_rows import NO_ROWS, MessageRows
from localbus.sqs.queue_attributes import MAX_VISIBILITY_TIMEOUT_S, QueueSettings
from localbus.sqs.ready_queue import RECEIVES_BEFORE_THE_BACK, MessageOrder, ReadyQueue
from localbus.sqs.receipt_handle import ReceiptHandles
from localbus.sqs.timer_heap import TimerHeap

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
MAX_IN_FLIGHT = 120_000

_REDRIVE = "StartMessageMoveTask moves it back once the consumer can process it"
_RETAIN = "Delete what is processed; a longer MessageRetentionPeriod keeps the rest"


class Queue:
    """A standard queue. `dead_letter_queue` returns the queue of the redrive policy, if it exists.

    `rows` are its messages in the storage of a durable engine.
    """

    is_fifo = False

    def __init__(self, name: str, arn: str, clock: Clock, journal: Journal, *, rows: MessageRows = NO_ROWS) -> None:
        self.name = name
        self.arn = arn
        self.settings = QueueSettings()
        self.dead_letter_queue: Callable[[], Queue | None] = lambda: None
        self._clock = clock
        self._journal = journal
        self.handles = ReceiptHandles()
        self.counters = QueueCounters()
        self._rows = rows
        self._messages: dict[str, Message] = {}
        self._ready: MessageOrder = ReadyQueue()
        self._timers = TimerHeap(
            lambda when, m: m.until == when and (m.state is State.IN_FLIGHT or m.state is State.DELAYED)
        )
        self._by_age = TimerHeap(lambda _when, m: m.state is not State.DELETED)
        self._count = dict.fromkeys(State, 0)
        self._polls = LongPolls(clock, self._recheck, self._on_empty_poll)

    # Sending

    def send(self, message: Message, delay_s: int | None = None) -> None:
        """Add a message. Without `delay_s` the queue's delay applies."""
        self.apply_due_transitions()
        message.sent_at = message.added_at = self._clock.now()
        self._enqueue(message, self.settings.delay_s if delay_s is None else delay_s)
        self.counters.sent += 1
        self._note("sent", message)
        self._serve_polls()

    def put_dead_letter(self, message: Message, source_arn: str) -> None:
        """Add a message of another queue as a dead letter. On a standard queue it keeps its enqueue time.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        self.apply_due_transitions()
        message.source_arn = source_arn
        message.added_at = self._clock.now()
        message.receives_uncounted = message.receive_count
        self._enqueue(message, 0)
        self._serve_polls()

    def put_moved(self, message: Message) -> None:
        """Add a new message that a move task or another service moves here. No queue takes it for a duplicate."""
        self.send(message)

    def _enqueue(self, message: Message, delay_s: float) -> None:
        self._rows.add(message)
        self._messages[message.message_id] = message
        self._by_age.add(message.sent_at, message)
        message.state = State.DELAYED if delay_s > 0 else State.VISIBLE
        self._count[message.state] += 1
        if delay_s > 0:
            self._delay(message, delay_s)
        else:
            self._ready.add(message)

    def _delay(self, message: Message, delay_s: float) -> None:
        message.until = self._clock.now() + delay_s
        self._timers.add(message.until, message)

    def restore(self, messages: list[Message]) -> None:
        """Add the messages from the storage, in their states there, when the engine starts: in the order of sending."""
        self._messages = {message.message_id: message for message in messages}
        self._by_age.restore((message.sent_at, message) for message in messages)
        self._ready.restore(message for message in messages if message.state is not State.DELAYED)
        self._timers.restore((message.until, message) for message in messages if message.state is State.IN_FLIGHT)
        self._count |= Counter(message.state for message in messages)
        if self._count[State.DELAYED]:
            for message in messages:
                if message.state is State.DELAYED:
                    self._restore_delayed(message)

    def _restore_delayed(self, message: Message) -> None:
        self._timers.add(message.until, message)

    # Receiving

    def receive(self, limit: int, visibility_timeout_s: int | None = None) -> list[Received]:
        """Receive up to `limit` visible messages; fewer when the limit of messages in flight is reached."""
        self.apply_due_transitions()
        return self._receive(limit, self._timeout(visibility_timeout_s))

    def receive_later(self, limit: int, visibility_timeout_s: int | None, wait_s: float) -> LongPoll:
        """Return a future of up to `limit` messages; of none after `wait_s`. Cancel it to stop waiting."""
        poll = self._polls.add(limit, self._timeout(visibility_timeout_s), wait_s)
        self._serve_polls()
        return poll

    def move_next(self, destination_of: Callable[[Message], Queue | None]) -> bool:
        """Move the next visible message to the queue that `destination_of` returns. Return whether one was moved.

        A message without a destination stays, and so does one that the destination does not accept.
        """
        self.apply_due_transitions()
        message = next(self._ready.next_batch(), None)
        if message is None:
            return False
        is_moved = False
        try:
            destination = destination_of(message)
            if destination is not None:
                moved = message.renewed()
                self._note("redriven", message, {"queue": destination.arn, "message_id": moved.message_id})
                destination.put_moved(moved)
                is_moved = True
        finally:
            if is_moved:
                self._remove(message, taken=True)
            else:
                self._ready.requeue(message)
        return is_moved

    @property
    def is_in_flight_full(self) -> bool:
        """True if the limit of messages in flight is reached."""
        return self._count[State.IN_FLIGHT] >= MAX_IN_FLIGHT

    def _timeout(self, visibility_timeout_s: int | None) -> int:
        return self.settings.visibility_timeout_s if visibility_timeout_s is None else visibility_timeout_s

    def _receive(self, limit: int, visibility_timeout_s: int) -> list[Received]:
        now = self._clock.now()
        received: list[Received] = []
        offers = self._ready.next_batch()
        while len(received) < limit and not self.is_in_flight_full and (message := next(offers, None)):
            if not self._move_to_dead_letter_queue(message):
                received.append(self._deliver(message, now, visibility_timeout_s))
        return received

    def _move_to_dead_letter_queue(self, message: Message) -> bool:
        """Move the message if it has been received often enough here. Return whether it was moved."""
        limit = self.settings.max_receive_count
        if limit is None or message.receive_count - message.receives_uncounted < limit:
            return False
        target = self.dead_letter_queue()
        if target is None or target is self:
            return False
        self._note("moved", message, target.arn)
        self._report_loss(
            "moved", message, target.arn, f"it was received as often as maxReceiveCount permits ({limit})", _REDRIVE
        )
        target.put_dead_letter(self._detach(message), self.arn)
        return True

    def _deliver(self, message: Message, now: float, visibility_timeout_s: int) -> Received:
        message.receive_count += 1
        message.receive_number += 1
        message.received_at = now
        if message.first_received_at is None:
            message.first_received_at = now
        self._set_in_flight(message, now + visibility_timeout_s)
        self.counters.received += 1
        self._note("received", message, message.receive_count)
        return Received(message, self.handles.write(message.message_id, message.receive_number))

    def _set_in_flight(self, message: Message, until: float) -> None:
        self._set_state(message, State.IN_FLIGHT)
        message.until = until
        self._rows.changed(message)
        self._timers.add(until, message)

    def _detach(self, message: Message) -> Message:
        """Remove a message that `next_batch` has just returned, and return a copy for another queue."""
        self._remove(message, taken=True)
        return copy.copy(message)

    # Deleting and changing visibility

    def delete(self, handle: str) -> None:
        """Delete the message of a receive, an earlier one too. The handle of a deleted message has no effect.

        AWS's documentation says that an earlier handle might not delete; in each recording of AWS it does.
        """
        self.apply_due_transitions()
        message, _ = self._find(handle)
        self.counters.deleted += 1
        if message is not None:
            self._delete(message)
            self._note("deleted", message)
            self._serve_polls()

    def change_visibility(self, handle: str, timeout_s: int) -> None:
        """Make a message visible again in `timeout_s` seconds; 0 is at once. An old handle also does."""
        self.apply_due_transitions()
        message, _ = self._find(handle)
        if message is None:
            raise unavailable(handle)
        now = self._clock.now()
        if now + timeout_s > message.received_at + MAX_VISIBILITY_TIMEOUT_S:
            raise beyond_limit(timeout_s, MAX_VISIBILITY_TIMEOUT_S)
        if message.state is State.IN_FLIGHT:
            self._timers.discard()
            self._note("hidden", message, timeout_s)
            self._set_in_flight(message, now + timeout_s)
        self._recheck()  # a timeout of 0 is due already

    def _find(self, handle: str) -> tuple[Message | None, bool]:
        """Return the message of this handle, unless it is deleted, and whether the handle is its latest."""
        receipt = self.handles.read(handle)
        if receipt is None:
            raise invalid_handle(handle)
        message = self._messages.get(receipt.message_id)
        return message, message is not None and message.receive_number == receipt.receive_number

    def _delete(self, message: Message) -> None:
        if message.state is not State.VISIBLE:
            self._timers.discard()
        self._remove(message, taken=message.state is State.IN_FLIGHT)

    def _remove(self, message: Message, *, taken: bool) -> None:
        was_delayed = message.state is State.DELAYED
        self._set_state(message, State.DELETED)
        self._rows.changed(message)
        self._by_age.discard()
        del self._messages[message.message_id]
        if not was_delayed:  # delayed messages are not in the order yet
            self._ready.remove(message, taken=taken)

    # Time

    def apply_due_transitions(self) -> None:
        """Bring the queue up to the present: delays, visibility timeouts and retention periods that have ended."""
        now = self._clock.now()
        for message in self._timers.due(now):
            if message.state is State.DELAYED:
                self._set_state(message, State.VISIBLE)
                self._ready.add(message)
            else:
                self._set_state(message, State.VISIBLE)
                self._ready.requeue(message)
                self._journal.note("visible", self.arn, message.message_id, message.until)
        for message in self._by_age.due(now - self.settings.retention_s):
            self._delete(message)
            self._note("expired", message)
            reason = f"it was not deleted within its retention period of {self.settings.retention_s} s"
            self._report_loss("expired", message, "", reason, _RETAIN)

    def _next_due(self) -> float | None:
        return self._timers.next()

    def _set_state(self, message: Message, state: State) -> None:
        self._count[message.state] -= 1
        self._count[state] += 1
        message.state = state

    def _note(self, event: str, message: Message, detail: object = None) -> None:
        self._journal.note(event, self.arn, message.message_id, self._clock.now(), detail)

    def _report_loss(self, event: str, message: Message, target: str, reason: str, fix: str) -> None:
        self._journal.on_loss(Loss(event, message.message_id, self.arn, target, event, reason, fix))

    # Long polls

    def _serve_polls(self) -> None:
        """Give visible messages to waiting receives; while any still waits, check again at the next transition."""
        while self._polls and self._count[State.VISIBLE] and self._polls.serve_next(self._receive):
            pass
        if self._polls:
            self._polls.recheck_at(self._next_due())

    def _recheck(self) -> None:
        self.apply_due_transitions()
        self._serve_polls()

    # The whole queue

    def counts(self) -> Counts:
        """Return how many messages are visible, in flight and delayed."""
        self.apply_due_transitions()
        return Counts(self._count[State.VISIBLE], self._count[State.IN_FLIGHT], self._count[State.DELAYED])

    def oldest_sent_at(self) -> float | None:
        """Return when the oldest message was sent, in any state; None when the queue is empty."""
        self.apply_due_transitions()
        return self._by_age.next()

    def oldest_waiting_since(self) -> float | None:
        """Return since when the oldest message that is not poison is in the queue; None without one.

        A message that was received three times and not deleted counts as poison, but in a FIFO queue it blocks others.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
        sqs-available-cloudwatch-metrics.html (ApproximateAgeOfOldestMessage)
        """
        for message in self._messages.values():
            received = message.receive_count - message.receives_uncounted
            if self.is_fifo or received < RECEIVES_BEFORE_THE_BACK:
                return message.added_at
        return None

    def _on_empty_poll(self) -> None:
        self.counters.empty_receives += 1

    def peek(self) -> Iterator[Message]:
        """Yield every message without receiving it: visible ones in their order, then in flight, then delayed."""
        self.apply_due_transitions()
        yield from list(self._ready)
        for state in (State.IN_FLIGHT, State.DELAYED):
            yield from [message for message in self._messages.values() if message.state is state]

    def purge(self) -> None:
        """Delete all messages."""
        self._clear()
        self._journal.note("purged", self.arn, "", self._clock.now())

    def close(self) -> None:
        """Delete all messages and end waiting receives, for a queue that is deleted."""
        self._clear()
        self._polls.cancel_all()

    def _clear(self) -> None:
        for message in self._messages.values():
            message.state = State.DELETED
            self._rows.changed(message)
        self._messages.clear()
        self._ready.clear()
        self._timers.clear()
        self._by_age.clear()
        self._count = dict.fromkeys(State, 0)

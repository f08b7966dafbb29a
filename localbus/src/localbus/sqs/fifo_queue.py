"""A FIFO queue: order within message groups, and deduplication. See `queue` for what it shares with a standard queue.

Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from localbus.clock import Clock
from localbus.journal import Journal
from localbus.sqs.deduplication import Key, Window
from localbus.sqs.errors import ExpiredHandleError, invalid_value
from localbus.sqs.fifo_order import FifoOrder
from localbus.sqs.message import Message, Received, State
from localbus.sqs.message_rows import NO_ROWS, MessageRows
from localbus.sqs.queue import Queue
from localbus.storage.documents import Document
from localbus.storage.storage import Record, Storage

# AWS's sequence numbers have twenty digits and are only promised to grow.
FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000
_SEQUENCE_STEP = 256
# Kinds of records, which belong to a queue by its ARN.
SENT, ATTEMPT, SEQUENCE = "sqs.sent", "sqs.attempt", "sqs.sequence"


@dataclass
class _Attempt:
    """The messages of one receive, and when their visibility timeout ends."""

    received: list[Received]
    until: float

    def document(self) -> Document:
        """Return the attempt for the storage: messages by their rows."""
        return {"until": self.until, "received": [[message.row, handle] for message, handle in self.received]}


class FifoQueue(Queue):
    """A FIFO queue. Its delay is the queue's current one, also for messages that were sent before it was changed.

    `sequence` counts messages; a sequence number is made of it.
    """

    is_fifo = True

    def __init__(
        self,
        name: str,
        arn: str,
        clock: Clock,
        journal: Journal,
        *,
        rows: MessageRows = NO_ROWS,
        storage: Storage | None = None,
    ) -> None:
        super().__init__(name, arn, clock, journal, rows=rows)
        self._ready = self._order = FifoOrder()
        self._delayed: deque[Message] = deque()
        self._storage = storage or Storage()
        self.sequence = int(clock.now()) % 10_000_000
        self._sent: Window[tuple[str, str]] = Window(self._storage, SENT, arn, list)
        self._attempts: Window[_Attempt] = Window(self._storage, ATTEMPT, arn, _Attempt.document)

    def restore_windows(self, sent: list[Record], attempts: list[Record], messages: Mapping[int, Message]) -> None:
        """Add what the storage has of the last five minutes; `messages` are those of the queue by their rows."""
        gone = Message("", "", state=State.DELETED)

        def attempt(document: Document) -> _Attempt:
            received = [Received(messages.get(row, gone), handle) for row, handle in document["received"]]
            return _Attempt(received, document["until"])

        self._sent.restore(sent, tuple)
        self._attempts.restore(attempts, attempt)

    def send(self, message: Message, delay_s: int | None = None) -> None:
        """Add a message. A duplicate within five minutes gets the first one's id instead and is not added."""
        now = self._clock.now()
        if message.deduplication_id is None:
            message.deduplication_id = hashlib.sha256(message.body.encode()).hexdigest()
        key = self._deduplication_key(message)
        first = self._sent.get(key, now)
        if first is not None:
            message.message_id, message.sequence_number = first
            self.counters.deduplicated += 1
            self._note("deduplicated", message, message.deduplication_id)
            return
        message.sequence_number = self._next_sequence_number()
        self._sent.put(key, (message.message_id, message.sequence_number), now)
        super().send(message, delay_s)

    def put_dead_letter(self, message: Message, source_arn: str) -> None:
        """Add a dead letter of another queue. It has a new enqueue time, and its message id as deduplication id."""
        message.sent_at = self._clock.now()
        message.sequence_number = self._next_sequence_number()
        message.deduplication_id = message.message_id
        super().put_dead_letter(message, source_arn)

    def put_moved(self, message: Message) -> None:
        """Add a new message that is moved here. It neither is a duplicate nor makes others one."""
        message.sequence_number = self._next_sequence_number()
        super().send(message)

    def _next_sequence_number(self) -> str:
        self.sequence += 1
        self._storage.save(SEQUENCE, self.arn, lambda: self.sequence)
        return str(FIRST_SEQUENCE_NUMBER + self.sequence * _SEQUENCE_STEP)

    def _deduplication_key(self, message: Message) -> Key:
        if self.settings.deduplication_scope == "messageGroup":
            return message.group_id, message.deduplication_id
        return message.deduplication_id

    def receive_again(self, attempt_id: str, visibility_timeout_s: int | None) -> list[Received] | None:
        """Return the messages of the receive with this attempt id and restart their visibility timeout.

        None if there was no such receive, or its visibility timeout has ended. Raises AwsError if one of its messages
        was deleted or had its visibility changed.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
        """
        self.apply_due_transitions()
        now = self._clock.now()
        attempt = self._attempts.get(attempt_id, now)
        if attempt is None:
            return None
        is_over = now >= attempt.until
        for message, _ in attempt.received:
            if message.state is State.DELETED or (message.until != attempt.until and not is_over):
                reason = "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable."
                raise invalid_value("ReceiveRequestAttemptId", attempt_id, reason)
        if is_over:
            return None
        attempt.until = now + self._timeout(visibility_timeout_s)
        self._attempts.changed(attempt_id)
        for message, _ in attempt.received:
            self._timers.discard()
            self._set_in_flight(message, attempt.until)
        return attempt.received

    def groups_in_flight(self) -> int:
        """Return how many message groups have messages in flight."""
        return self._order.groups_in_flight()

    def remember_attempt(self, attempt_id: str, received: list[Received]) -> None:
        """Store the result of a receive for `receive_again`."""
        if received:
            self._attempts.put(attempt_id, _Attempt(received, received[0].message.until), self._clock.now())

    def delete(self, handle: str) -> None:
        """Delete the message of a receive. Raises AwsError once its visibility timeout has passed.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        """
        self._check_in_flight(handle)
        super().delete(handle)

    def change_visibility(self, handle: str, timeout_s: int) -> None:
        """Make a message visible again in `timeout_s` seconds. Raises AwsError once its timeout has passed."""
        self._check_in_flight(handle)
        super().change_visibility(handle, timeout_s)

    def _check_in_flight(self, handle: str) -> None:
        self.apply_due_transitions()
        message, is_newest = self._find(handle)
        if message is not None and not (is_newest and message.state is State.IN_FLIGHT):
            raise ExpiredHandleError(handle)

    # Delays

    def _delay(self, message: Message, delay_s: float) -> None:
        self._delayed.append(message)

    def _restore_delayed(self, message: Message) -> None:
        self._delayed.append(message)

    def apply_due_transitions(self) -> None:
        """Bring the queue up to the present; delayed messages first."""
        now = self._clock.now()
        while (due := self._next_delayed()) is not None and due <= now:
            message = self._delayed.popleft()
            self._set_state(message, State.VISIBLE)
            self._ready.add(message)
        super().apply_due_transitions()

    def _next_due(self) -> float | None:
        times = [when for when in (self._next_delayed(), self._timers.next()) if when is not None]
        return min(times, default=None)

    def _next_delayed(self) -> float | None:
        while self._delayed and self._delayed[0].state is not State.DELAYED:
            self._delayed.popleft()
        return self._delayed[0].sent_at + self.settings.delay_s if self._delayed else None

    def _clear(self) -> None:
        super()._clear()
        self._delayed.clear()
        self._sent.clear()
        self._attempts.clear()

    def close(self) -> None:
        """Delete everything."""
        super().close()
        self._storage.delete(SEQUENCE, self.arn)

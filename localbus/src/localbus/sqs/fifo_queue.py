"""What a FIFO queue does otherwise than a standard one (`queue`): order within groups, and each message once.

Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
"""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Hashable
from typing import Literal

from localbus.clock import Clock
from localbus.journal import Journal
from localbus.sqs.deduplication import Window
from localbus.sqs.errors import refusal
from localbus.sqs.fifo_order import GroupOrder
from localbus.sqs.message import Message, Received, State
from localbus.sqs.queue import Queue

# AWS's sequence numbers have twenty digits and are only promised to grow.
FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000


class FifoQueue(Queue):
    """A FIFO queue."""

    is_fifo = True

    def __init__(self, name: str, arn: str, clock: Clock, journal: Journal) -> None:
        super().__init__(name, arn, clock, journal)
        self.content_based_deduplication = False
        self.deduplication_scope: Literal["queue", "messageGroup"] = "queue"
        self._order = GroupOrder()
        self._not_yet_due: deque[Message] = deque()
        self._sequence_numbers = itertools.count(FIRST_SEQUENCE_NUMBER + int(clock.now()) % 10_000_000 * 256, 256)
        self._sent: Window[tuple[str, str]] = Window()
        self._attempts: Window[list[Received]] = Window()

    # Sending

    def send(self, message: Message, delay_s: int | None = None) -> None:
        """Take in a message; one that was sent within five minutes gets the id of the first and is not taken in."""
        now = self._clock.now()
        if message.deduplication_id is None:
            message.deduplication_id = hashlib.sha256(message.body.encode()).hexdigest()
        key = self._deduplication_key(message)
        first = self._sent.get(key, now)
        if first is not None:
            message.message_id, message.sequence_number = first
            self._journal.note("deduplicated", self.arn, message.message_id, now, message.deduplication_id)
            return
        message.sequence_number = str(next(self._sequence_numbers))
        self._sent.keep(key, (message.message_id, message.sequence_number), now)
        super().send(message, delay_s)

    def put_dead_letter(self, message: Message, source_arn: str) -> None:
        """Take in a message that its queue gave up: on a FIFO queue its age begins anew."""
        message.sent_at = self._clock.now()
        message.sequence_number = str(next(self._sequence_numbers))
        super().put_dead_letter(message, source_arn)

    def _deduplication_key(self, message: Message) -> Hashable:
        if self.deduplication_scope == "messageGroup":
            return message.group_id, message.deduplication_id
        return message.deduplication_id

    # Delay: that of the queue as it is now, also for messages that were sent before it was changed

    def _delay(self, message: Message, delay_s: float) -> None:
        self._not_yet_due.append(message)

    def _settle_delayed(self, now: float) -> None:
        while (due := self._next_due()) is not None and due <= now:
            message = self._not_yet_due.popleft()
            self._change_state(message, State.VISIBLE)
            self._order.join(message)

    def _next_due(self) -> float | None:
        while self._not_yet_due and self._not_yet_due[0].state is not State.DELAYED:
            self._not_yet_due.popleft()
        return self._not_yet_due[0].sent_at + self.settings.delay_s if self._not_yet_due else None

    # Receiving

    def receive_again(self, attempt_id: str, visibility_timeout_s: int | None) -> list[Received] | None:
        """What the receive of that attempt id got, with the timeout begun anew; None when it is to receive afresh.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
        """
        self.settle()
        now = self._clock.now()
        received = self._attempts.get(attempt_id, now)
        if received is None:
            return None
        for message, handle in received:
            if message.state is not State.IN_FLIGHT or self._find(handle) != (message, True):
                return None
        until = now + self._timeout(visibility_timeout_s)
        for message, _ in received:
            self._in_flight.forget()
            self._hide(message, until)
        return received

    def remember_attempt(self, attempt_id: str, received: list[Received]) -> None:
        """Keep what a receive got, should the client ask for it again."""
        if received:
            self._attempts.keep(attempt_id, received, self._clock.now())

    # Handles

    def delete(self, handle: str) -> None:
        """Delete the message of that receive; refused once its visibility timeout has passed.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        """
        self._refuse_expired(handle)
        super().delete(handle)

    def change_visibility(self, handle: str, timeout_s: int) -> None:
        """Let the message of that receive be visible again later; refused once its visibility timeout has passed."""
        self._refuse_expired(handle)
        super().change_visibility(handle, timeout_s)

    def _refuse_expired(self, handle: str) -> None:
        self.settle()
        message, is_newest = self._find(handle)
        if message is not None and not (is_newest and message.state is State.IN_FLIGHT):
            raise refusal("ReceiptHandle", handle, "The receipt handle has expired.")

    def _clear(self) -> None:
        super()._clear()
        self._not_yet_due.clear()
        self._sent, self._attempts = Window(), Window()

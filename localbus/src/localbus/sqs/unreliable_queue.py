"""A standard queue with delivery faults, as AWS permits them: duplicates, reordering, short polls that miss."""

from __future__ import annotations

import random

from localbus.clock import Clock
from localbus.delivery_faults import DeliveryFaults
from localbus.journal import Journal
from localbus.sqs.message import Message, Received
from localbus.sqs.message_rows import NO_ROWS, MessageRows
from localbus.sqs.queue import Queue
from localbus.sqs.ready_queue import ReadyQueue

MAX_OVERTAKEN = 20


class UnreliableReadyQueue(ReadyQueue):
    """An order in which some messages overtake up to twenty earlier ones."""

    def __init__(self) -> None:
        super().__init__()
        self.set_faults(0.0, random.Random(0))  # noqa: S311 (not for cryptography)

    def set_faults(self, reordering: float, rng: random.Random) -> None:
        """Set the probability that a message overtakes others."""
        self._reordering = reordering
        self._rng = rng

    def add(self, message: Message) -> None:
        """Add a message at the back, or further to the front."""
        if not self._reordering or self._rng.random() >= self._reordering:
            super().add(message)
            return
        message.position = next(self._positions) - self._rng.uniform(0, MAX_OVERTAKEN)
        self._insert(message)


class UnreliableQueue(Queue):
    """A standard queue that duplicates, reorders and misses messages with given probabilities."""

    def __init__(
        self,
        name: str,
        arn: str,
        clock: Clock,
        journal: Journal,
        faults: DeliveryFaults,
        *,
        rows: MessageRows = NO_ROWS,
    ) -> None:
        super().__init__(name, arn, clock, journal, rows=rows)
        self._ready = self._order = UnreliableReadyQueue()
        self.set_faults(faults)

    def set_faults(self, faults: DeliveryFaults) -> None:
        """Set the faults and restart the random numbers, from the seed and the queue's ARN."""
        self._faults = faults
        self._rng = random.Random(f"{faults.seed} {self.arn}")  # noqa: S311 (not for cryptography)
        self._order.set_faults(faults.reordering, self._rng)

    def receive(self, limit: int, visibility_timeout_s: int | None = None) -> list[Received]:
        """Receive messages, unless this poll asks the servers that have none."""
        if self._faults.missed_polls and self._rng.random() < self._faults.missed_polls:
            self._journal.note("missed", self.arn, "", self._clock.now())
            return []
        return super().receive(limit, visibility_timeout_s)

    def _deliver(self, message: Message, now: float, visibility_timeout_s: int) -> Received:
        """Deliver the message, which a duplicate leaves visible.

        AWS's reason for a duplicate is a server that was unavailable at the receive and still holds its copy. That
        server has not counted the receive, so a duplicate brings no message nearer to the dead-letter queue.
        """
        if not self._faults.duplicates or self._rng.random() >= self._faults.duplicates:
            return super()._deliver(message, now, visibility_timeout_s)
        received = super()._deliver(message, now, 0)
        message.receives_uncounted += 1
        self._note("duplicated", message)
        return received

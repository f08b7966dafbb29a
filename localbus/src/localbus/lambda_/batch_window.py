"""Gathering messages of a queue into a batch: as many as it may have, within the batching window, through the filters.

A gatherer waits at the queue as any long poll does, so that a mapping with nothing to do costs nothing.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.lambda_.batch import Batch, Item, item_of, record_of
from localbus.lambda_.mapping import EventSourceMapping, Settings
from localbus.sqs.message import Received
from localbus.sqs.queue import Queue

RECEIVED_AT_ONCE = 10
_LONG_S = 86_400.0  # a mapping waits as long as it must; a queue wants to know how long that may be


class Gatherer:
    """Makes one batch after the other. What is received and in no batch yet lies here."""

    def __init__(
        self, mapping: EventSourceMapping, clock: Clock, journal: Journal, queue_of: Callable[[], Queue | None]
    ) -> None:
        self._mapping = mapping
        self._clock = clock
        self._journal = journal
        self._queue_of = queue_of
        self._batch = Batch()
        self._held: list[Item] = []  # too much for the batch before

    async def gather(self, queue: Queue) -> Batch:
        """The next batch: full, or what there is when its window has passed. Empty when the queue went away."""
        settings = self._mapping.settings
        held, self._held = self._held, []
        self._take([item for item in held if item.visible_at > self._clock.now()], settings)
        deadline: float | None = None
        while not self._is_full(settings):
            if self._batch and deadline is None:
                deadline = self._clock.now() + settings.batching_window_s
            if settings.batching_window_s and self._is_past(deadline):
                break
            most = min(RECEIVED_AT_ONCE, settings.batch_size - len(self._batch))
            received = queue.receive(most)
            self._take(self._wanted(received, queue), settings)
            if received:
                await asyncio.sleep(0)  # others have their turn, however long the queue is
            elif self._is_past(deadline) or self._queue_of() is not queue:
                break
            else:
                self._take(self._wanted(await self._wait(queue, most, deadline), queue), settings)
        batch, self._batch = self._batch, Batch()
        return batch

    def give_back(self) -> None:
        """Let what is in no batch yet be visible again."""
        items = [*self._batch.items.values(), *self._held]
        self._batch, self._held = Batch(), []
        queue = self._queue_of()
        if queue is None:
            return
        for item in items:
            try:
                queue.change_visibility(item.handle, 0)
            except AwsError as exc:
                self._note("not_given_back", item.message_id, str(exc))

    def _is_past(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock.now() >= deadline

    def _is_full(self, settings: Settings) -> bool:
        return bool(self._held) or len(self._batch) >= settings.batch_size

    def _take(self, items: list[Item], settings: Settings) -> None:
        for item in items:
            if self._is_full(settings) or not self._batch.takes(item):
                self._held.append(item)
            else:
                self._batch.add(item)

    async def _wait(self, queue: Queue, most: int, deadline: float | None) -> list[Received]:
        """What comes next, or nothing when the deadline comes first."""
        waiting = queue.receive_later(min(most, RECEIVED_AT_ONCE), None, _LONG_S)

        def give_up() -> None:
            if not waiting.done():
                waiting.set_result([])

        wake = self._clock.call_at(deadline, give_up) if deadline is not None else None
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():  # handed out in the very moment of the stop
                self._held += self._wanted(waiting.result(), queue)
            raise
        finally:
            if wake is not None:
                wake.cancel()

    def _wanted(self, received: list[Received], queue: Queue) -> list[Item]:
        """The messages that the filters let through; the others are deleted."""
        filters = self._mapping.settings.filters
        windowed = self._mapping.settings.batching_window_s > 0
        items: list[Item] = []
        for one in received:
            record = record_of(one, self._mapping.queue_arn, windowed=windowed)
            if filters is None or filters.wants(record):
                items.append(item_of(one, record))
            else:
                self._note("filtered", one.message.message_id, {"patterns": [p.text for p in filters.patterns]})
                queue.delete(one.handle)
        return items

    def _note(self, event: str, message_id: str, detail: object) -> None:
        self._journal.note(event, self._mapping.arn, message_id, self._clock.now(), detail)

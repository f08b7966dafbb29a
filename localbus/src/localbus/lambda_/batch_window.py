"""The batching window: collects filtered messages of a queue until a batch is full or the window ends.

It waits like a long poll, so that an idle mapping costs nothing.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
"""

from __future__ import annotations

import asyncio

from localbus.errors import AwsError
from localbus.journal import Journal, Loss
from localbus.lambda_.batch import Batch, Item, item_of, record_of
from localbus.lambda_.filter_criteria import FilterCriteria
from localbus.lambda_.mapping import EventSourceMapping, Settings
from localbus.protocol.service_model import Params
from localbus.sqs.message import Received
from localbus.sqs.queue import Queue
from localbus.sqs.state import Sqs

MAX_RECEIVED = 10
_WAIT_S = 20.0  # Lambda polls queues by long polls of this length, whose empty ends are a metric of the queue


class BatchWindow:
    """Returns one batch after the other, and holds the messages that are in none yet."""

    def __init__(self, mapping: EventSourceMapping, journal: Journal, sqs: Sqs) -> None:
        self._mapping = mapping
        self._journal = journal
        self._clock = sqs.clock
        self._queues = sqs.queues
        self._batch = Batch()
        self._surplus: list[Item] = []  # too much for the batch before

    def queue(self) -> Queue | None:
        """Return the mapping's queue, if it exists."""
        record = self._queues.by_arn(self._mapping.queue_arn)
        return record.queue if record is not None else None

    def has_full_batch(self) -> bool:
        """Return whether as many messages are visible as a batch takes."""
        queue = self.queue()
        return queue is not None and queue.counts().visible >= self._mapping.settings.batch_size

    async def next_batch(self, queue: Queue) -> Batch:
        """Return a batch: full, or with what the window has collected. It is empty when the queue was deleted."""
        settings = self._mapping.settings
        surplus, self._surplus = self._surplus, []
        self._add([item for item in surplus if item.visible_at > self._clock.now()], settings)
        deadline: float | None = None
        while not self._is_full(settings):
            if self._batch and deadline is None:
                deadline = self._clock.now() + settings.batching_window_s
            if settings.batching_window_s and self._is_past(deadline):
                break
            limit = min(MAX_RECEIVED, settings.batch_size - len(self._batch))
            received = queue.receive(limit)
            self._add(self._filtered(received, queue), settings)
            if received:
                await asyncio.sleep(0)  # lets other tasks run, however long the queue is
            elif self._is_past(deadline) or self.queue() is not queue:
                break
            else:
                self._add(self._filtered(await self._wait(queue, limit, deadline), queue), settings)
        batch, self._batch = self._batch, Batch()
        return batch

    def return_messages(self) -> None:
        """Make the messages that are in no complete batch visible again."""
        items = [*self._batch.items.values(), *self._surplus]
        self._batch, self._surplus = Batch(), []
        queue = self.queue()
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
        return bool(self._surplus) or len(self._batch) >= settings.batch_size

    def _add(self, items: list[Item], settings: Settings) -> None:
        for item in items:
            if self._is_full(settings) or not self._batch.fits(item):
                self._surplus.append(item)
            else:
                self._batch.add(item)

    async def _wait(self, queue: Queue, limit: int, deadline: float | None) -> list[Received]:
        """Return the next messages, or none at the deadline."""
        poll = queue.receive_later(limit, None, _WAIT_S)

        def end() -> None:
            if not poll.done():
                poll.set_result([])

        timer = self._clock.call_at(deadline, end) if deadline is not None else None
        try:
            return await poll
        except asyncio.CancelledError:
            if poll.done() and not poll.cancelled():  # messages arrived in the turn of the cancellation
                self._surplus += self._filtered(poll.result(), queue)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _filtered(self, received: list[Received], queue: Queue) -> list[Item]:
        """Return the messages that a filter accepts, and delete the others."""
        filters = self._mapping.settings.filters
        windowed = self._mapping.settings.batching_window_s > 0
        items: list[Item] = []
        if received:
            self._mapping.counts.record("PolledEventCount", len(received))
        for one in received:
            record = record_of(one, self._mapping.queue_arn, windowed=windowed)
            if filters is None or filters.accepts(record):
                items.append(item_of(one, record))
            else:
                self._delete_unwanted(one, record, filters, queue)
        return items

    def _delete_unwanted(self, one: Received, record: Params, filters: FilterCriteria, queue: Queue) -> None:
        """Delete a message that no filter accepts."""
        detail: dict[str, object] = {"patterns": [pattern.text for pattern in filters.patterns]}
        reason = filters.mismatch(record)
        if reason:
            detail["reason"] = reason
        route = self._mapping.queue_arn, self._mapping.function_arn
        text = f"{reason or 'no filter of the mapping accepts it'}; as on AWS, it is deleted from the queue"
        fix = "Change the mapping's FilterCriteria, or give such messages another queue"
        self._journal.on_loss(Loss("filtered", one.message.message_id, *route, "Filtered", text, fix))
        self._note("filtered", one.message.message_id, detail)
        self._mapping.counts.add("FilteredOutEventCount")
        queue.delete(one.handle)

    def _note(self, event: str, message_id: str, detail: object) -> None:
        self._journal.note(event, self._mapping.arn, message_id, self._clock.now(), detail)

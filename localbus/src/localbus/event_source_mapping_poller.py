"""Receiving for one mapping: from its queue into batches, from batches into invocations, and what comes of these.

One task receives. It waits at the queue as any long poll does, so that a mapping with nothing to do costs nothing, and
takes messages only while there is room for one more invocation. Each batch then has a task of its own. While the
function cannot be reached (throttled, or nobody answers) nothing more is received, so that messages do not use up
their receives for it.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, services-sqs-scaling.html and
services-sqs-errorhandling.html there
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.event_source_mapping import EventSourceMapping, Settings
from localbus.event_source_mapping_batch import (
    Batch,
    Done,
    Failed,
    Item,
    Outcome,
    TryAgain,
    item_of,
    outcome_of,
    record_of,
)
from localbus.http_client import NoAnswerError
from localbus.journal import Journal
from localbus.message import Received
from localbus.queue import Queue
from localbus.sqs import Sqs
from localbus.upstream_call import UpstreamCalls

log = logging.getLogger("localbus")

RECEIVED_AT_ONCE = 10
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
_LONG_S = 86_400.0  # a receive waits at the queue; this only bounds how long a client of a queue may


class Poller:
    """Between `start` and `stop` it receives; what was received before `stop` is still brought to an end."""

    def __init__(
        self, mapping: EventSourceMapping, clock: Clock, journal: Journal, sqs: Sqs, upstream: UpstreamCalls
    ) -> None:
        self._mapping = mapping
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self._upstream = upstream
        self._receiving: asyncio.Task[None] | None = None
        self._invoking: set[asyncio.Task[None]] = set()
        self._in_trouble: set[int] = set()  # batches whose function cannot be reached, by id
        self._sleeping: set[asyncio.Event] = set()
        self._changed = asyncio.Event()
        self._batch = Batch()
        self._held: list[Item] = []  # received, and too much for the batch before

    def start(self) -> None:
        """Begin to receive. What waits for a function that could not be reached is tried again at once."""
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._receive())
        for sleeper in self._sleeping:
            sleeper.set()

    async def stop(self) -> None:
        """Receive no more. What was gathered for a batch and not handed over goes back to the queue."""
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.gather(self._receiving, return_exceptions=True)
            self._receiving = None

    async def abandon(self) -> None:
        """Receive no more, and give up on what is under way."""
        await self.stop()
        for task in list(self._invoking):
            task.cancel()
        await asyncio.gather(*self._invoking, return_exceptions=True)

    @property
    def is_busy(self) -> bool:
        """Whether an invocation is under way."""
        return bool(self._invoking)

    def wake(self) -> None:
        """Look again: something has changed that those who wait should know, such as a queue that is there again."""
        self._changed.set()

    # Receiving

    async def _receive(self) -> None:
        try:
            while True:
                await self._room()
                queue = self._queue()
                if queue is None:
                    await self._change()
                elif await self._gather(queue):
                    self._begin()
        except asyncio.CancelledError:
            self._give_back()
            raise
        except Exception:
            log.exception("event_source_mapping.receive_failed", extra={"mapping": self._mapping.uuid})

    def _queue(self) -> Queue | None:
        record = self._sqs.queues.by_arn(self._mapping.queue_arn)
        return record.queue if record is not None else None

    async def _room(self) -> None:
        """Wait until there may be one more invocation."""
        while self._in_trouble or len(self._invoking) >= self._mapping.settings.concurrency:
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _gather(self, queue: Queue) -> bool:
        """Fill the batch till it is full or its window has passed; False when the queue went away without a message."""
        settings = self._mapping.settings
        held, self._held = self._held, []
        self._take([item for item in held if item.visible_at > self._clock.now()], settings)
        deadline: float | None = None
        while not self._is_full(settings):
            if self._batch and deadline is None:
                deadline = self._clock.now() + settings.batching_window_s
            if settings.batching_window_s and self._is_past(deadline):
                break
            received = queue.receive(min(RECEIVED_AT_ONCE, settings.batch_size - len(self._batch)))
            if received:
                await asyncio.sleep(0)  # others have their turn, however long the queue is
            elif self._is_past(deadline) or self._queue() is not queue:
                break
            else:
                received = await self._wait(queue, settings.batch_size - len(self._batch), deadline)
            self._take(self._wanted(received, queue), settings)
        return bool(self._batch)

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
        items: list[Item] = []
        for one in received:
            record = record_of(one, self._mapping.queue_arn)
            if filters is None or filters.wants(record):
                items.append(item_of(one, record))
            else:
                self._note("filtered", one.message.message_id, {"patterns": [p.text for p in filters.patterns]})
                queue.delete(one.handle)
        return items

    def _give_back(self) -> None:
        """Let what is in no invocation be visible again."""
        items = [*self._batch.items.values(), *self._held]
        self._batch, self._held = Batch(), []
        self._with_each(items, "not_given_back", lambda queue, handle: queue.change_visibility(handle, 0))

    # Invoking

    def _begin(self) -> None:
        batch, self._batch = self._batch, Batch()
        task = asyncio.ensure_future(self._bring(batch))
        self._invoking.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._invoking.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("event_source_mapping.batch_failed", exc_info=error, extra={"mapping": self._mapping.uuid})

    async def _bring(self, batch: Batch) -> None:
        """Invoke the function, again and again while it cannot be reached and the messages are still ours."""
        try:
            self._settle(batch, await self._attempt(batch))
        finally:
            self._in_trouble.discard(id(batch))

    async def _attempt(self, batch: Batch) -> Outcome:
        pause_s = FIRST_PAUSE_S
        while True:
            outcome = await self._invoke(batch)
            if not isinstance(outcome, TryAgain):
                return outcome
            self._in_trouble.add(id(batch))
            again_at = self._clock.now() + pause_s
            is_late = again_at >= batch.visible_at
            if not is_late:
                self._note_each("retry_scheduled", batch.items, {"reason": outcome.reason, "after_s": pause_s})
            await self._sleep_until(again_at)
            if is_late or self._receiving is None:  # the queue gives the messages out again, or nobody wants them now
                return outcome
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _invoke(self, batch: Batch) -> Outcome:
        function_arn, reports_failures = self._mapping.function_arn, self._mapping.settings.reports_failures
        self._note_each("invoked", batch.items, {"function": function_arn, "messages": len(batch)})
        try:
            answer = await self._upstream.invoke(function_arn, batch.event(), wait=True)
        except TimeoutError:
            return Failed("the function did not answer in the longest time that one may run")
        except (NoAnswerError, OSError) as exc:
            return TryAgain(str(exc))
        return outcome_of(answer, batch.items, reports_failures=reports_failures)

    async def _sleep_until(self, when: float) -> None:
        over = asyncio.Event()
        self._sleeping.add(over)
        wake = self._clock.call_at(when, over.set)
        try:
            await over.wait()
        finally:
            self._sleeping.discard(over)
            wake.cancel()

    def _settle(self, batch: Batch, outcome: Outcome) -> None:
        """Delete what is done. The rest stays hidden until its visibility timeout has passed."""
        match outcome:
            case Done(failed):
                self._mapping.last_result = "OK" if not failed else f"PROBLEM: {len(failed)} batch item failures"
                self._note_each("item_failed", failed, {"function": self._mapping.function_arn})
                items = [item for item in batch.items.values() if item.message_id not in failed]
                self._with_each(items, "not_deleted", lambda queue, handle: queue.delete(handle))
            case Failed(reason) | TryAgain(reason):
                self._mapping.last_result = f"PROBLEM: {reason}"
                self._note_each("invocation_failed", batch.items, reason)

    def _with_each(self, items: list[Item], failure: str, do: Callable[[Queue, str], None]) -> None:
        """Do this with the handle of each item; one whose time is over is noted."""
        queue = self._queue()
        if queue is None:
            return
        for item in items:
            try:
                do(queue, item.handle)
            except AwsError as exc:
                self._note(failure, item.message_id, str(exc))

    def _note_each(self, event: str, message_ids: Iterable[str], detail: object) -> None:
        for message_id in message_ids:
            self._note(event, message_id, detail)

    def _note(self, event: str, message_id: str, detail: object) -> None:
        self._journal.note(event, self._mapping.arn, message_id, self._clock.now(), detail)

"""Receiving for one mapping: from its queue into batches, from batches into invocations, and what comes of these.

One task receives, and only while there is room for one more invocation; how, says `event_source_mapping_gatherer`. Each
batch then has a task of its own. While the function cannot be reached (throttled, or nobody answers) nothing more is
received, so that messages do not use up their receives for it.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, services-sqs-scaling.html and
services-sqs-errorhandling.html there
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from localbus.background_tasks import BackgroundTasks
from localbus.errors import AwsError
from localbus.http.client import NoAnswerError
from localbus.journal import Journal
from localbus.lambda_.batch import Batch, Done, Failed, Item, Outcome, TryAgain, outcome_of
from localbus.lambda_.batch_window import Gatherer
from localbus.lambda_.mapping import EventSourceMapping
from localbus.sqs.queue import Queue
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

log = logging.getLogger("localbus")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Poller:
    """Between `start` and `stop` it receives; what was received before `stop` is still brought to an end."""

    def __init__(
        self,
        mapping: EventSourceMapping,
        journal: Journal,
        sqs: Sqs,
        upstream: UpstreamCalls,
        tasks: BackgroundTasks,
    ) -> None:
        self._mapping = mapping
        self._clock = sqs.clock
        self._journal = journal
        self._sqs = sqs
        self._upstream = upstream
        self._tasks = tasks
        self._receiving: asyncio.Task[None] | None = None
        self._invocations = 0  # under way
        self._unreachable: set[int] = set()  # the ids of batches whose function cannot be reached
        self._sleeping: set[asyncio.Event] = set()
        self._changed = asyncio.Event()
        self._gatherer = Gatherer(mapping, sqs.clock, journal, self._queue)

    def start(self) -> None:
        """Begin to receive. What waits for a function that could not be reached is tried again at once."""
        if self._receiving is None:
            self._receiving = self._tasks.start(self._receive())
        for sleeper in self._sleeping:
            sleeper.set()

    async def stop(self) -> None:
        """Receive no more. What was gathered for a batch and not handed over goes back to the queue."""
        receiving, self._receiving = self._receiving, None
        if receiving is not None:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    def wake(self) -> None:
        """Look again: something has changed that those who wait should know, such as a queue that is there again."""
        self._changed.set()

    # Receiving

    async def _receive(self) -> None:
        try:
            while True:
                await self._room()
                try:
                    await self._receive_batch()
                except Exception:
                    log.exception("event_source_mapping.receive_failed", extra={"mapping": self._mapping.uuid})
                    await self._sleep_until(self._clock.now() + FIRST_PAUSE_S)
        finally:
            self._gatherer.give_back()

    async def _receive_batch(self) -> None:
        queue = self._queue()
        if queue is None:
            await self._change()
        elif batch := await self._gatherer.gather(queue):
            self._begin(batch)

    def _queue(self) -> Queue | None:
        record = self._sqs.queues.by_arn(self._mapping.queue_arn)
        return record.queue if record is not None else None

    async def _room(self) -> None:
        """Wait until there may be one more invocation."""
        while self._unreachable or self._invocations >= self._mapping.settings.concurrency:
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # Invoking

    def _begin(self, batch: Batch) -> None:
        self._invocations += 1
        self._tasks.start(self._deliver(batch))

    async def _deliver(self, batch: Batch) -> None:
        """Invoke the function; retry while it cannot be reached and the messages are still invisible."""
        try:
            self._settle(batch, await self._attempt(batch))
        finally:
            self._unreachable.discard(id(batch))
            self._invocations -= 1
            self._changed.set()

    async def _attempt(self, batch: Batch) -> Outcome:
        pause_s = FIRST_PAUSE_S
        while True:
            outcome = await self._invoke(batch)
            if not isinstance(outcome, TryAgain):
                return outcome
            self._unreachable.add(id(batch))
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
                self._note_each("item_failed", failed, {"function": self._mapping.function_arn})
                self._delete(item for item in batch.items.values() if item.message_id not in failed)
            case Failed(reason) | TryAgain(reason):
                self._note_each("invocation_failed", batch.items, reason)

    def _delete(self, items: Iterable[Item]) -> None:
        queue = self._queue()
        if queue is None:
            return
        for item in items:
            try:
                queue.delete(item.handle)
            except AwsError as exc:  # a FIFO queue's handle whose time is over
                self._note("not_deleted", item.message_id, str(exc))

    def _note_each(self, event: str, message_ids: Iterable[str], detail: object) -> None:
        for message_id in message_ids:
            self._note(event, message_id, detail)

    def _note(self, event: str, message_id: str, detail: object) -> None:
        self._journal.note(event, self._mapping.arn, message_id, self._clock.now(), detail)

"""The poller of one mapping: receives batches from the queue and invokes the function with them.

One task receives, while another invocation is permitted (`batch_window`), and each batch has a task that invokes. While
the function cannot be reached (it is throttled, or nothing answers) nothing more is received, so that messages do not
use up their receives. A further invocation, for which the upstream may start a process, begins at once for a full
batch, unless a quick function keeps up with the queue; for less, or while the function starts, it waits a little for
those under way.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, services-sqs-scaling.html and
services-sqs-errorhandling.html there
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress

from localbus.background_tasks import BackgroundTasks
from localbus.errors import AwsError
from localbus.http.client import NoAnswerError
from localbus.journal import Journal, Loss
from localbus.lambda_.batch import Batch, Done, Failed, Item, Outcome, Unreachable, outcome_of
from localbus.lambda_.batch_window import BatchWindow
from localbus.lambda_.mapping import EventSourceMapping
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient

log = logging.getLogger("localbus")

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
# How long a batch waits for the invocations under way before another begins; longer while the function starts, for
# which Lambda allows ten seconds. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
WAITS_FOR_OTHERS_S = 1.0
WAITS_FOR_FIRST_S = 10.0
# How long full batches wait one after the other for a function that takes less than WAITS_FOR_OTHERS_S for each.
CATCHES_UP_WITHIN_S = 5.0
_LOOKS_EVERY_S = 0.05
_REACH = "Create it, or see the upstream's log"


class Poller:
    """Receives between `start` and `stop`. Batches that were received before `stop` are completed."""

    def __init__(
        self,
        mapping: EventSourceMapping,
        journal: Journal,
        sqs: Sqs,
        upstream: UpstreamClient,
        tasks: BackgroundTasks,
    ) -> None:
        self._mapping = mapping
        self._journal = journal
        self._clock = sqs.clock
        self._upstream = upstream
        self._tasks = tasks
        self._window = BatchWindow(mapping, journal, sqs)
        self._receiving: asyncio.Task[None] | None = None
        self._invocations = 0  # under way
        self._last_start_s = 0.0  # by the loop's time
        self._has_answered = False
        self._is_quick = True
        self._behind_since_s: float | None = None  # by the loop's time; None if the last batch left no full one
        self._unreachable: set[int] = set()  # the ids of batches whose function cannot be reached
        self._sleeping: set[asyncio.Event] = set()
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Start receiving. Batches that wait for an unreachable function are retried immediately."""
        if self._receiving is None:
            self._receiving = self._tasks.start(self._receive())
        for sleeper in self._sleeping:
            sleeper.set()

    async def stop(self) -> None:
        """Stop receiving. Messages that are in no complete batch are returned to the queue."""
        receiving, self._receiving = self._receiving, None
        if receiving is not None:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    def wake(self) -> None:
        """Check again what receiving waits for, such as the queue."""
        self._changed.set()

    async def _receive(self) -> None:
        try:
            while True:
                while self._unreachable or self._invocations >= self._mapping.settings.concurrency:
                    await self._change()
                wait_s = self._wait_for_others_s() if self._invocations else 0
                if wait_s > 0:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._change()
                    continue
                try:
                    await self._receive_batch()
                except Exception:
                    log.exception("event_source_mapping.receive_failed", extra={"mapping": self._mapping.uuid})
                    await self._sleep_until(self._clock.now() + FIRST_DELAY_S)
        finally:
            self._window.return_messages()

    def _wait_for_others_s(self) -> float:
        """Return how long to wait with another invocation beside those under way: each may cost a process of 50 MB.

        A full batch ends the wait, but not while the function starts, or while a quick one keeps up. The queue has no
        event for it.
        """
        now_s = asyncio.get_running_loop().time()
        lasted_s = now_s - self._last_start_s
        if not self._has_answered:
            return WAITS_FOR_FIRST_S - lasted_s
        is_behind = self._behind_since_s is not None and now_s - self._behind_since_s >= CATCHES_UP_WITHIN_S
        if (is_behind or not self._is_quick) and self._window.has_full_batch():
            return 0
        return min(_LOOKS_EVERY_S, WAITS_FOR_OTHERS_S - lasted_s)

    async def _receive_batch(self) -> None:
        queue = self._window.queue()
        if queue is None:
            await self._change()
        elif batch := await self._window.next_batch(queue):
            self._invocations += 1
            self._last_start_s = asyncio.get_running_loop().time()
            if not self._window.has_full_batch():
                self._behind_since_s = None
            elif self._behind_since_s is None:
                self._behind_since_s = self._last_start_s
            self._tasks.start(self._deliver(batch))

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _deliver(self, batch: Batch) -> None:
        """Invoke the function and delete the messages that it has processed."""
        start_s = asyncio.get_running_loop().time()
        try:
            outcome = await self._attempt(batch)
            if self._has_answered:  # the first invocation includes the start of the function
                self._is_quick = asyncio.get_running_loop().time() - start_s < WAITS_FOR_OTHERS_S
            self._has_answered = self._has_answered or not isinstance(outcome, Unreachable)
            self._settle(batch, outcome)
        finally:
            self._unreachable.discard(id(batch))
            self._invocations -= 1
            self._changed.set()

    async def _attempt(self, batch: Batch) -> Outcome:
        """Invoke the function; retry while it cannot be reached and the messages are invisible to others."""
        delay_s = FIRST_DELAY_S
        while True:
            outcome = await self._invoke(batch)
            if not isinstance(outcome, Unreachable):
                return outcome
            self._unreachable.add(id(batch))
            text = f"the function cannot be reached: {outcome.reason}"
            self._report_each("retry_scheduled", batch.items, "Unreachable", text, _REACH)
            retry_at = self._clock.now() + delay_s
            is_late = retry_at >= batch.visible_at
            if not is_late:
                self._note_each("retry_scheduled", batch.items, {"reason": outcome.reason, "after_s": delay_s})
            await self._sleep_until(retry_at)
            if is_late or self._receiving is None:  # the messages are visible again, or the mapping has stopped
                return outcome
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    async def _invoke(self, batch: Batch) -> Outcome:
        function_arn, reports_failures = self._mapping.function_arn, self._mapping.settings.reports_failures
        self._note_each("invoked", batch.items, {"function": function_arn, "messages": len(batch)})
        try:
            answer = await self._upstream.invoke(function_arn, batch.event(), wait=True)
        except TimeoutError:
            return Failed("the function did not answer within the longest time that one may run")
        except (NoAnswerError, OSError) as exc:
            return Unreachable(str(exc))
        return outcome_of(answer, batch.items, reports_failures=reports_failures)

    async def _sleep_until(self, when: float) -> None:
        over = asyncio.Event()
        self._sleeping.add(over)
        timer = self._clock.call_at(when, over.set)
        try:
            await over.wait()
        finally:
            self._sleeping.discard(over)
            timer.cancel()

    def _settle(self, batch: Batch, outcome: Outcome) -> None:
        """Delete what was processed. The rest stays invisible until its visibility timeout ends."""
        counts = self._mapping.counts
        match outcome:
            case Done(failed):
                counts.record("InvokedEventCount", len(batch))
                counts.record("FailedInvokeEventCount", len(failed))
                self._note_each("item_failed", failed, {"function": self._mapping.function_arn})
                self._delete(item for item in batch.items.values() if item.message_id not in failed)
            case Failed(reason) | Unreachable(reason):
                counts.record("InvokedEventCount", len(batch) if isinstance(outcome, Failed) else 0)
                counts.record("FailedInvokeEventCount", len(batch))
                self._note_each("invocation_failed", batch.items, reason)
                text = f"{reason.rstrip('.')}. It is visible again after its visibility timeout"
                self._report_each("invocation_failed", batch.items, type(outcome).__name__, text)

    def _delete(self, items: Iterable[Item]) -> None:
        queue = self._window.queue()
        if queue is None:
            return
        for item in items:
            try:
                queue.delete(item.handle)
                self._mapping.counts.add("DeletedEventCount")
            except AwsError as exc:  # an expired receipt handle of a FIFO queue
                self._note_each("not_deleted", [item.message_id], str(exc))

    def _report_each(self, event: str, message_ids: Iterable[str], code: str, reason: str, fix: str = "") -> None:
        route = self._mapping.queue_arn, self._mapping.function_arn
        for message_id in message_ids:
            self._journal.on_loss(Loss(event, message_id, *route, code, reason, fix))

    def _note_each(self, event: str, message_ids: Iterable[str], detail: object) -> None:
        for message_id in message_ids:
            self._journal.note(event, self._mapping.arn, message_id, self._clock.now(), detail)

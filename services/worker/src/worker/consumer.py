"""The worker as a process: messages are handled as they come from the buffer, and verdicts become calls to SQS."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.circuit_breaker import CircuitBreaker
from worker.handling import Handling, log_unacknowledged, return_to_queue
from worker.heartbeat import Heartbeat
from worker.message import Lease, Message
from worker.metrics import Metrics
from worker.prefetch_buffer import PrefetchBuffer
from worker.receiver import Receiver, give_back
from worker.sqs_queue import Queue
from worker.verdict import DeadLetter, DeliveryVerdict, Done, RetryAfter

log = logging.getLogger(__name__)

# The longest that giving back the remaining messages may take after the drain deadline.
_GIVE_BACK_S = 5.0
# Messages handled together: as many as one BatchExecuteStatement inserts.
_TOGETHER = 25


@dataclass(eq=False, kw_only=True)
class Consumer:
    """Handles up to `concurrency` messages at once until stop is set, then drains."""

    handling: Handling
    receivers: Sequence[Receiver]
    queues: Mapping[str, Queue]
    buffer: PrefetchBuffer
    heartbeat: Heartbeat
    breaker: CircuitBreaker
    metrics: Metrics
    concurrency: int
    _under_way: int = field(default=0, init=False)
    _finished: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def leases(self) -> frozenset[Lease]:
        """Leases on all messages that this worker holds."""
        return self.heartbeat.leases

    async def run(self, stop: asyncio.Event, drain_deadline_s: float) -> None:
        """Work until stop is set; then finish the messages held, and give back those not finished by the deadline."""
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self.heartbeat.run())
            receiving = [group.create_task(receiver.run()) for receiver in self.receivers]
            working = group.create_task(self._work())
            await stop.wait()
            log.info("worker.draining", extra={"held": len(self.leases), "deadline_s": drain_deadline_s})
            self.buffer.close()
            self.breaker.stop()
            try:
                async with asyncio.timeout(drain_deadline_s):
                    await asyncio.gather(*receiving)
                    self.buffer.finish()
                    await asyncio.wait((working,))
            except TimeoutError:
                log.warning("worker.drain_deadline_passed", extra={"held": len(self.leases)})
            for task in (*receiving, working, beating):
                task.cancel()
        await self._give_back_the_rest()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            while leases := await self.buffer.take(min(_TOGETHER, self.concurrency - self._under_way)):
                self._under_way += len(leases)
                group.create_task(self._handle_together(leases, group))
                while self._under_way >= self.concurrency:
                    self._finished.clear()
                    await self._finished.wait()

    async def _handle_together(self, leases: Sequence[Lease], group: asyncio.TaskGroup) -> None:
        began = asyncio.get_running_loop().time()
        outcomes = await self.handling.outcomes(leases)
        made: dict[str, list[Message]] = {}
        for lease, outcome in zip(leases, outcomes, strict=True):
            if outcome is None:
                group.create_task(self._handle_alone(lease))
            else:
                self._release(lease, outcome, began)
                made.setdefault(lease.message.queue, []).append(lease.message)
        await asyncio.gather(*map(self._delete, made.values()))

    async def _handle_alone(self, lease: Lease) -> None:
        began = asyncio.get_running_loop().time()
        verdict = await self.handling.verdict(lease)
        self._release(lease, _outcome(verdict), began)
        match verdict:
            case Done():
                await self._delete([lease.message])
            case RetryAfter() | DeadLetter():
                await return_to_queue(self.queues[lease.message.queue], lease.message, verdict)

    def _release(self, lease: Lease, outcome: str, began: float) -> None:
        self.heartbeat.release(lease)
        self.metrics.handled(lease.message.queue, outcome, asyncio.get_running_loop().time() - began)
        self._under_way -= 1
        self._finished.set()

    async def _delete(self, messages: Sequence[Message]) -> None:
        failures = await self.queues[messages[0].queue].delete(messages)
        for message, failure in zip(messages, failures, strict=True):
            if failure is not None:
                log_unacknowledged(message, failure)

    async def _give_back_the_rest(self) -> None:
        messages = [lease.message for lease in self.leases]
        try:
            async with asyncio.timeout(_GIVE_BACK_S):
                await asyncio.gather(*(give_back(self.queues[message.queue], message) for message in messages))
        except TimeoutError:
            log.warning("worker.give_back_deadline_passed", extra={"held": len(messages)})


def _outcome(verdict: DeliveryVerdict | None) -> str:
    match verdict:
        case Done(outcome):
            return outcome
        case RetryAfter():
            return "retried"
        case DeadLetter():
            return "poison"
        case None:
            return "lost"

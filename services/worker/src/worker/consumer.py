"""The message boundary: concurrent handlers take messages from the buffer, and verdicts become calls to SQS."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from orderboard_aws_client.backoff import Backoff

from worker.circuit_breaker import CircuitBreaker
from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.heartbeat import Heartbeat
from worker.message import Lease, Message
from worker.metrics import Metrics
from worker.prefetch_buffer import PrefetchBuffer
from worker.receiver import Receiver, give_back
from worker.sqs_queue import Queue
from worker.verdict import DeadLetter, DeliveryVerdict, Done, RetryAfter, decide

log = logging.getLogger(__name__)

# The longest that giving back the remaining messages may take after the drain deadline.
_GIVE_BACK_S = 5.0


@dataclass(eq=False, kw_only=True)
class Consumer:
    """Handles up to `concurrency` messages at once until stop is set, then drains."""

    handle: Callable[[Message], Awaitable[str]]
    receivers: Sequence[Receiver]
    queues: Mapping[str, Queue]
    buffer: PrefetchBuffer
    heartbeat: Heartbeat
    breaker: CircuitBreaker
    metrics: Metrics
    concurrency: int
    retry: Backoff

    @property
    def leases(self) -> frozenset[Lease]:
        """Leases on all messages that this worker holds."""
        return self.heartbeat.leases

    async def run(self, stop: asyncio.Event, drain_deadline_s: float) -> None:
        """Work until stop is set; then finish the messages held, and give back those not finished by the deadline."""
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self.heartbeat.run())
            receiving = [group.create_task(receiver.run()) for receiver in self.receivers]
            working = [group.create_task(self._work()) for _ in range(self.concurrency)]
            await stop.wait()
            log.info("worker.draining", extra={"held": len(self.leases), "deadline_s": drain_deadline_s})
            self.buffer.close()
            self.breaker.stop()
            try:
                async with asyncio.timeout(drain_deadline_s):
                    await asyncio.gather(*receiving)
                    self.buffer.finish()
                    await asyncio.gather(*working)
            except TimeoutError:
                log.warning("worker.drain_deadline_passed", extra={"held": len(self.leases)})
            for task in (*receiving, *working, beating):
                task.cancel()
        await self._give_back_the_rest()

    async def _work(self) -> None:
        while (lease := await self.buffer.take()) is not None:
            began = asyncio.get_running_loop().time()
            verdict = await self._verdict(lease)
            seconds = asyncio.get_running_loop().time() - began
            self.heartbeat.release(lease)
            self.metrics.handled(lease.message.queue, _outcome(verdict), seconds)
            if verdict is not None:
                await self._acknowledge(lease.message, verdict)

    async def _verdict(self, lease: Lease) -> DeliveryVerdict | None:
        """Handle the message; return None if its lease ended meanwhile."""
        message = lease.message
        try:
            async with lease.working():
                return Done(await self.handle(message))
        except ReceiptExpiredError as exc:
            log.warning("message.receipt_expired", extra={**message.log_fields, "reason": str(exc)})
            return None
        except Exception as exc:  # the message boundary: no message may end the worker
            verdict = decide(exc, message.receive_count, self.retry)
            if isinstance(verdict, RetryAfter) and not isinstance(exc, TransientError | UnavailableError):
                log.exception("message.unexpected_failure", extra=message.log_fields)
            return verdict

    async def _acknowledge(self, message: Message, verdict: DeliveryVerdict) -> None:
        """Call SQS. If that fails the message is delivered again, and handling it again changes nothing."""
        queue = self.queues[message.queue]
        try:
            match verdict:
                case Done():
                    await queue.delete(message)
                case RetryAfter(seconds, reason):
                    extra = {**message.log_fields, "retry_after_s": seconds, "reason": reason}
                    log.warning("message.retry_scheduled", extra=extra)
                    await queue.change_visibility(message, seconds)
                case DeadLetter(reason):
                    log.error("message.poison", extra={**message.log_fields, "reason": reason})
                    await queue.change_visibility(message, 0)
        except ReceiptExpiredError as exc:
            log.warning("message.receipt_expired", extra={**message.log_fields, "reason": str(exc)})
        except (UnavailableError, TransientError) as exc:
            log.warning("message.acknowledge_failed", extra={**message.log_fields, "reason": str(exc)})

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

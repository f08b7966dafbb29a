"""The message boundary: so many hands take messages, have them handled, and act on the verdict. Drains when told to."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from worker.backoff import Backoff
from worker.brake import Brake
from worker.decide import decide
from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.heartbeat import Heartbeat
from worker.intake import Intake
from worker.message import Held, Message
from worker.metrics import Metrics
from worker.receiver import give_back
from worker.sqs_queue import Queue
from worker.verdict import Done, Poison, RetryAfter, Verdict

log = logging.getLogger(__name__)

# After the drain deadline, giving back what is left takes this long at most.
_GIVE_BACK_S = 5.0


class Runs(Protocol):
    """Something that runs until the worker stops."""

    async def run(self) -> None:
        """Run until then."""


class Consumer:
    """Bounded work in hand: `hands` messages at work, and what the intake holds."""

    def __init__(
        self,
        handle: Callable[[Message], Awaitable[str]],
        *,
        queues: Mapping[str, Queue],
        intake: Intake,
        heartbeat: Heartbeat,
        brake: Brake,
        metrics: Metrics,
        hands: int,
        retry: Backoff,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._handle = handle
        self._queues = queues
        self._intake = intake
        self._heartbeat = heartbeat
        self._brake = brake
        self._metrics = metrics
        self._hands = hands
        self._retry = retry
        self._chance = chance

    async def run(self, receivers: Sequence[Runs], stop: asyncio.Event, drain_deadline_s: float) -> None:
        """Work until stop is set; then finish what is in hand, and give back what is not finished in time."""
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self._heartbeat.run())
            receiving = [group.create_task(receiver.run()) for receiver in receivers]
            working = [group.create_task(self._work()) for _ in range(self._hands)]
            await stop.wait()
            log.info("worker.draining", extra={"in_hand": len(self._heartbeat.in_hand), "deadline_s": drain_deadline_s})
            self._intake.close()
            self._brake.close()
            try:
                async with asyncio.timeout(drain_deadline_s):
                    await asyncio.gather(*receiving)
                    self._intake.finish()
                    await asyncio.gather(*working)
            except TimeoutError:
                log.warning("worker.drain_deadline_passed", extra={"in_hand": len(self._heartbeat.in_hand)})
            for task in (*receiving, *working, beating):
                task.cancel()
        await self._give_back_the_rest()

    async def _work(self) -> None:
        while (held := await self._intake.take()) is not None:
            began = asyncio.get_running_loop().time()
            verdict = await self._verdict(held)
            seconds = asyncio.get_running_loop().time() - began
            self._heartbeat.let_go(held)
            self._metrics.handled(held.message.queue, _outcome(verdict), seconds)
            if verdict is not None:
                await self._acknowledge(held.message, verdict)

    async def _verdict(self, held: Held) -> Verdict | None:
        """What becomes of the message; None when it is no longer ours to say."""
        message = held.message
        try:
            async with held.working():
                return Done(await self._handle(message))
        except ReceiptExpiredError as exc:
            log.warning("message.receipt_expired", extra={**message.log_fields, "reason": str(exc)})
            return None
        except Exception as exc:  # the message boundary: no message may end the worker
            verdict = decide(exc, message.receive_count, self._retry, self._chance())
            if isinstance(verdict, RetryAfter) and not isinstance(exc, TransientError | UnavailableError):
                log.exception("message.unforeseen_failure", extra=message.log_fields)
            return verdict

    async def _acknowledge(self, message: Message, verdict: Verdict) -> None:
        """Tell the queue. When that fails the message comes again, and handling it again changes nothing."""
        queue = self._queues[message.queue]
        try:
            match verdict:
                case Done():
                    await queue.delete(message)
                case RetryAfter(seconds, reason):
                    extra = {**message.log_fields, "retry_after_s": seconds, "reason": reason}
                    log.warning("message.retry_scheduled", extra=extra)
                    await queue.change_visibility(message, seconds)
                case Poison(reason):
                    log.error("message.poison", extra={**message.log_fields, "reason": reason})
                    await queue.change_visibility(message, 0)
        except ReceiptExpiredError as exc:
            log.warning("message.receipt_expired", extra={**message.log_fields, "reason": str(exc)})
        except (UnavailableError, TransientError) as exc:
            log.warning("message.acknowledge_failed", extra={**message.log_fields, "reason": str(exc)})

    async def _give_back_the_rest(self) -> None:
        rest = self._heartbeat.in_hand
        try:
            async with asyncio.timeout(_GIVE_BACK_S):
                await asyncio.gather(*(give_back(self._queues[held.message.queue], held.message) for held in rest))
        except TimeoutError:
            log.warning("worker.give_back_deadline_passed", extra={"in_hand": len(rest)})


def _outcome(verdict: Verdict | None) -> str:
    match verdict:
        case Done(outcome):
            return outcome
        case RetryAfter():
            return "retried"
        case Poison():
            return "poison"
        case None:
            return "lost"

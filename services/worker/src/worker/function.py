"""The worker as a Lambda function: one invocation handles a batch of an event source mapping of work or express.

The messages that succeed are Lambda's to delete; the others are its batch item failures. The process's means have
counterparts:

- Heartbeat: none. The visibility timeout is six times the function's timeout, and work ends with the invocation.
- Circuit breaker: retries within the invocation, then an error, for which Lambda reduces the mapping's concurrency.
- Drain on SIGTERM: an invocation under way always finishes, and a disabled mapping starts no more.
- Backoff and dead letters: the same calls of ChangeMessageVisibility, and the queue's redrive policy.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from worker.circuit_breaker import CircuitBreaker
from worker.failures import UnavailableError
from worker.handling import Handling, return_to_queue
from worker.message import Lease, Message
from worker.sqs_queue import Queue
from worker.verdict import DeadLetter, DeliveryVerdict, Done, RetryAfter

log = logging.getLogger(__name__)

# The end of the invocation belongs to returning messages and to the response: so much, or a share of a short one.
_RESERVE_S: Final = 1.0
_RESERVED_SHARE: Final = 0.2
_OUT_OF_TIME: Final = "the invocation's time ended; the function's timeout bounds the work on one order"

Response = dict[str, list[dict[str, str]]]


class NotABatchError(ValueError):
    """The event is not a batch of the queues of this function; the message says what it is."""


@dataclass(eq=False, kw_only=True)
class Function:
    """Handles batches, one at a time, as Lambda calls an execution environment.

    roles: `work` and `express` by the names of their queues. queue: opens the queue of a role, for messages that return
    to it.
    """

    handling: Handling
    breaker: CircuitBreaker
    roles: Mapping[str, str]
    queue: Callable[[str], Awaitable[Queue]]
    _cold: bool = field(default=True, init=False)

    async def handle(self, event: Mapping[str, Any], remaining_s: float) -> Response:
        """Handle every message of the batch within remaining_s; return the response of ReportBatchItemFailures.

        Raises NotABatchError, and UnavailableError if no message was handled because a backend does not respond.
        """
        began, processor_began = asyncio.get_running_loop().time(), time.process_time()
        reserve_s = min(_RESERVE_S, remaining_s * _RESERVED_SHARE)
        ends_at = began + remaining_s - reserve_s
        leases = [Lease(message, ends_at, _OUT_OF_TIME) for message in self._messages(event, began)]
        verdicts = await self._verdicts(leases)
        failed = [
            (lease.message, verdict)
            for lease, verdict in zip(leases, verdicts, strict=True)
            if not isinstance(verdict, Done)
        ]
        took_s = asyncio.get_running_loop().time() - began
        self._log_batch(verdicts, took_s, time.process_time() - processor_began)
        if failed and len(failed) == len(leases) and not self.breaker.closed:
            raise UnavailableError(f"no message of {len(leases)} was handled: the orders table or the bus is away")
        await self._return(failed, reserve_s / 2)
        return {"batchItemFailures": [{"itemIdentifier": message.message_id} for message, _ in failed]}

    def _messages(self, event: Mapping[str, Any], now: float) -> list[Message]:
        records = event.get("Records")
        if not isinstance(records, list) or not records:
            raise NotABatchError(
                "The event has no Records. This function is for event source mappings of SQS queues; to try it, send a "
                "message to one of its queues."
            )
        return [Message.of_record(self._role(record), record, now) for record in records]

    def _role(self, record: Mapping[str, Any]) -> str:
        name = str(record.get("eventSourceARN", "")).rpartition(":")[2]
        if name not in self.roles:
            raise NotABatchError(f"A record is of the queue {name!r}; expected {' or '.join(self.roles)}.")
        return self.roles[name]

    async def _verdicts(self, leases: Sequence[Lease]) -> list[DeliveryVerdict | None]:
        outcomes = await self.handling.outcomes(leases)
        alone = [lease for lease, outcome in zip(leases, outcomes, strict=True) if outcome is None]
        decided: list[DeliveryVerdict | None] = await asyncio.gather(*map(self.handling.verdict, alone))
        verdicts = iter(decided)
        return [next(verdicts) if outcome is None else Done(outcome) for outcome in outcomes]

    async def _return(self, failed: Sequence[tuple[Message, DeliveryVerdict | None]], within_s: float) -> None:
        """Set when messages are visible again. One without a verdict waits for its visibility timeout."""
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(self._return_one(message, verdict) for message, verdict in failed))
        except TimeoutError:
            log.warning("messages.return_cut_short", extra={"count": len(failed)})

    async def _return_one(self, message: Message, verdict: DeliveryVerdict | None) -> None:
        if isinstance(verdict, RetryAfter | DeadLetter):
            await return_to_queue(await self.queue(message.queue), message, verdict)

    def _log_batch(self, verdicts: Sequence[DeliveryVerdict | None], took_s: float, processor_s: float) -> None:
        """Log the batch; cold: it is the first of its execution environment."""
        done = sum(isinstance(verdict, Done) for verdict in verdicts)
        extra = {
            "messages": len(verdicts),
            "failed": len(verdicts) - done,
            "duration_ms": round(1000 * took_s, 1),
            "processor_ms": round(1000 * processor_s, 1),
            "cold": self._cold,
        }
        log.info("batch.handled", extra=extra)
        self._cold = False

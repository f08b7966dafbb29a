"""The message boundary: messages are handled under their leases, and what fails becomes a verdict.

The process (`consumer`) and the Lambda function (`function`) share it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orderboard_aws_client.backoff import Backoff
from orderboard_contracts.tracing import Tracing

from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.message import Lease, Message
from worker.sqs_queue import Queue
from worker.verdict import DeadLetter, DeliveryVerdict, Done, RetryAfter, decide

log = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class Handling:
    """Handles messages first together, in one pass of shared calls, and those that this leaves each alone.

    queue_names: the names of the queues in SQS by their roles, for spans.
    """

    together: Callable[[Sequence[Message]], Awaitable[Sequence[str | None]]]
    alone: Callable[[Message], Awaitable[str]]
    retry: Backoff
    queue_names: Mapping[str, str]
    tracing: Tracing | None = None

    async def outcomes(self, leases: Sequence[Lease]) -> Sequence[str | None]:
        """Handle the messages together. Nothing is lost by a failure: what has no outcome is handled again, alone."""
        if self.tracing is None:
            return await self._outcomes(leases)
        for lease in leases:
            lease.message = self._traced(lease.message, self.tracing)
        with _given_back_if_cancelled(lease.message for lease in leases):
            outcomes = await self._outcomes(leases)
        for lease, outcome in zip(leases, outcomes, strict=True):
            if outcome is not None and lease.message.processing is not None:
                lease.message.processing.end(outcome)
        return outcomes

    def _traced(self, message: Message, tracing: Tracing) -> Message:
        queue = self.queue_names[message.queue]
        processing = tracing.process(queue, message.message_id, message.receive_count, message.body)
        return replace(message, processing=processing)

    async def _outcomes(self, leases: Sequence[Lease]) -> Sequence[str | None]:
        try:
            async with asyncio.timeout_at(min(lease.expires_at for lease in leases)):
                return await self.together([lease.message for lease in leases])
        except TimeoutError:
            log.warning("messages.handled_alone", extra={"count": len(leases), "reason": "a lease expired"})
        except Exception:  # the message boundary: no message may end the worker
            log.exception("messages.handled_alone", extra={"count": len(leases)})
        return [None] * len(leases)

    async def verdict(self, lease: Lease) -> DeliveryVerdict | None:
        """Handle the message alone; return None if its lease ended meanwhile."""
        if (processing := lease.message.processing) is None:
            return await self._verdict(lease)
        with _given_back_if_cancelled([lease.message]), processing.current():
            verdict = await self._verdict(lease)
        match verdict:
            case Done(outcome):
                processing.end(outcome)
            case RetryAfter(_, reason):
                processing.end("retried", "retried", reason)
            case DeadLetter(reason):
                processing.end("poison", "poison", reason)
            case None:
                processing.end("lost", "lost", "the lease ended")
        return verdict

    async def _verdict(self, lease: Lease) -> DeliveryVerdict | None:
        message = lease.message
        try:
            async with lease.working():
                return Done(await self.alone(message))
        except ReceiptExpiredError as exc:
            log.warning("message.receipt_expired", extra={**message.log_fields, "reason": str(exc)})
            return None
        except Exception as exc:  # the message boundary: no message may end the worker
            verdict = decide(exc, message.receive_count, self.retry)
            if isinstance(verdict, RetryAfter) and not isinstance(exc, TransientError | UnavailableError):
                log.exception("message.unexpected_failure", extra=message.log_fields)
            return verdict


@contextmanager
def _given_back_if_cancelled(messages: Iterable[Message]) -> Iterator[None]:
    """End the spans of messages whose handling is cancelled: a worker that stops returns them to their queues."""
    try:
        yield
    except asyncio.CancelledError:
        for message in messages:
            if message.processing is not None:
                message.processing.end("given_back", "given_back", "the worker stops")
        raise


async def return_to_queue(queue: Queue, message: Message, verdict: RetryAfter | DeadLetter) -> None:
    """Make the message visible again when its verdict says so. If that fails, its visibility timeout does it."""
    match verdict:
        case RetryAfter(seconds, reason):
            extra = {**message.log_fields, "retry_after_s": seconds, "reason": reason}
            log.warning("message.retry_scheduled", extra=extra)
        case DeadLetter(reason):
            seconds = 0
            log.error("message.poison", extra={**message.log_fields, "reason": reason})
    try:
        await queue.change_visibility(message, seconds)
    except (ReceiptExpiredError, UnavailableError, TransientError) as exc:
        log_unacknowledged(message, exc)


def log_unacknowledged(message: Message, failure: Exception) -> None:
    """Log a failed call to SQS: the message is delivered again, and handling it again changes nothing."""
    event = "message.receipt_expired" if isinstance(failure, ReceiptExpiredError) else "message.acknowledge_failed"
    log.warning(event, extra={**message.log_fields, "reason": str(failure)})

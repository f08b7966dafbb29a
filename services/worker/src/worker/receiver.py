"""Long polling of one queue by several concurrent receives, which fill the prefetch buffer.

The number of polls follows the load: one waits while the queue is empty, one gathers at a moderate rate, several run
while there is a backlog.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from orderboard_aws_client.backoff import Backoff, pause
from orderboard_contracts.tracing import Tracing

from worker.circuit_breaker import CircuitBreaker
from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.health import Health
from worker.heartbeat import Heartbeat
from worker.message import Lease, Message
from worker.metrics import Metrics
from worker.prefetch_buffer import PrefetchBuffer
from worker.sqs_queue import Queue

log = logging.getLogger(__name__)

# After a poll that was neither empty nor full, so that messages that come one by one share the calls that follow. It is
# less than order-api's linger: a batch that order-api publishes, and a message that comes alone, meet a waiting poll.
_GATHER_S: Final = 0.02


@dataclass(frozen=True)
class Polling:
    """Polling settings of a queue."""

    polls: int
    wait_s: int
    visibility_timeout_s: int
    retry: Backoff


@dataclass(eq=False, kw_only=True)
class Receiver:
    """Polls one queue until the worker stops. One poll always runs; the others run only while there is a backlog.

    queue_name is its name in SQS, for its spans.
    """

    queue: Queue
    queue_name: str
    polling: Polling
    buffer: PrefetchBuffer
    heartbeat: Heartbeat
    breaker: CircuitBreaker
    health: Health
    metrics: Metrics
    stop: asyncio.Event
    tracing: Tracing | None = None
    _backlog: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _failures: int = field(default=0, init=False)

    async def run(self) -> None:
        """Poll until the worker stops. Polls under way are awaited: cancelled ones could take messages with them."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll_always())
            for _ in range(self.polling.polls - 1):
                group.create_task(self._poll_in_a_backlog())
            await self.stop.wait()
            self._backlog.set()

    async def _poll_always(self) -> None:
        while not self.stop.is_set():
            if await self._poll_once() and not self._backlog.is_set():
                await pause(_GATHER_S, until=self._backlog)

    async def _poll_in_a_backlog(self) -> None:
        while not self.stop.is_set():
            await self._backlog.wait()
            if not self.stop.is_set():
                await self._poll_once()

    async def _poll_once(self) -> int:
        """Poll, and return the number of messages."""
        partition = self.buffer.partitions[self.queue.name]
        await self.breaker.wait_until_closed()
        if not (slots := await partition.reserve()):
            return 0
        messages: list[Message] = []
        try:
            messages = await self._receive(slots)
        finally:
            partition.release(slots - len(messages))
        if self.stop.is_set():
            partition.release(len(messages))
            await asyncio.gather(*(give_back(self.queue, message) for message in messages))
            return 0
        leases = [Lease(message, message.received_at + self.polling.visibility_timeout_s) for message in messages]
        self.heartbeat.track(leases)
        self.buffer.put(self.queue.name, leases)
        return len(leases)

    async def _receive(self, at_most: int) -> list[Message]:
        began_ns = time.time_ns()
        try:
            messages = await self.queue.receive(
                at_most, wait_s=self.polling.wait_s, visibility_timeout_s=self.polling.visibility_timeout_s
            )
        except (UnavailableError, TransientError) as exc:
            await self._receive_failed(exc)
            return []
        self._failures = 0
        self.health.healthy(f"queue {self.queue.name}")
        self.metrics.received(self.queue.name, len(messages))
        if self.tracing is not None and messages:
            self.tracing.received(self.queue_name, [message.body for message in messages], began_ns)
        if len(messages) == at_most:
            self._backlog.set()
        elif not self.stop.is_set():
            self._backlog.clear()
        return messages

    async def _receive_failed(self, exc: Exception) -> None:
        self._failures += 1
        wait_s = self.polling.retry.equal_jitter_s(self._failures)
        self.health.unhealthy(f"queue {self.queue.name}", str(exc))
        log.warning(
            "queue.receive_failed",
            extra={"queue": self.queue.name, "reason": str(exc), "retry_after_s": round(wait_s, 3)},
        )
        await pause(wait_s, until=self.stop)


async def give_back(queue: Queue, message: Message) -> None:
    """Make a message visible to others at once; if that fails, its visibility timeout does so later."""
    try:
        await queue.change_visibility(message, 0)
    except (UnavailableError, TransientError, ReceiptExpiredError) as exc:
        log.warning("message.give_back_failed", extra={**message.log_fields, "reason": str(exc)})
    else:
        log.info("message.given_back", extra=message.log_fields)

"""Long polling of one queue by several receives at once. What arrives goes to the intake and under the heartbeat."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from worker.backoff import Backoff
from worker.brake import Brake
from worker.failures import ReceiptExpiredError, TransientError, UnavailableError
from worker.health import Health
from worker.heartbeat import Heartbeat
from worker.intake import Intake
from worker.message import Held, Message
from worker.metrics import Metrics
from worker.sqs_queue import Queue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Polling:
    """How a queue is polled."""

    polls: int
    wait_s: int
    visibility_timeout_s: int
    retry: Backoff


class Receiver:
    """Polls one queue until the worker stops. One poll waits for a first message; the others join in a backlog."""

    def __init__(
        self,
        queue: Queue,
        polling: Polling,
        *,
        intake: Intake,
        heartbeat: Heartbeat,
        brake: Brake,
        health: Health,
        metrics: Metrics,
        stop: asyncio.Event,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._queue = queue
        self._polling = polling
        self._intake = intake
        self._heartbeat = heartbeat
        self._brake = brake
        self._health = health
        self._metrics = metrics
        self._stop = stop
        self._chance = chance
        self._backlog = asyncio.Event()
        self._failures = 0

    async def run(self) -> None:
        """Poll until the worker stops. Polls under way are waited for: cut short, they could take messages along."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll_always())
            for _ in range(self._polling.polls - 1):
                group.create_task(self._poll_in_a_backlog())
            await self._stop.wait()
            self._backlog.set()

    async def _poll_always(self) -> None:
        while not self._stop.is_set():
            await self._poll_once()

    async def _poll_in_a_backlog(self) -> None:
        while not self._stop.is_set():
            await self._backlog.wait()
            if not self._stop.is_set():
                await self._poll_once()

    async def _poll_once(self) -> None:
        lane = self._intake.lanes[self._queue.name]
        await self._brake.released()
        if not (places := await lane.reserve()):
            return
        arrived: list[Message] = []
        try:
            arrived = await self._receive(places)
        finally:
            lane.unreserve(places - len(arrived))
        if self._stop.is_set():
            lane.unreserve(len(arrived))
            await asyncio.gather(*(give_back(self._queue, message) for message in arrived))
            return
        held = [Held(message, message.received_at + self._polling.visibility_timeout_s) for message in arrived]
        self._heartbeat.keep(held)
        self._intake.put(self._queue.name, held)

    async def _receive(self, at_most: int) -> list[Message]:
        try:
            arrived = await self._queue.receive(
                at_most, wait_s=self._polling.wait_s, visibility_timeout_s=self._polling.visibility_timeout_s
            )
        except (UnavailableError, TransientError) as exc:
            await self._receive_failed(exc)
            return []
        self._failures = 0
        self._health.well(f"queue {self._queue.name}")
        self._metrics.received(self._queue.name, len(arrived))
        if len(arrived) == at_most:
            self._backlog.set()
        elif not self._stop.is_set():
            self._backlog.clear()
        return arrived

    async def _receive_failed(self, exc: Exception) -> None:
        self._failures += 1
        # Half of the pause is certain: a queue that fails at once must not make a hot loop.
        pause_s = self._polling.retry.wait_s(self._failures, 0.5 + self._chance() / 2)
        self._health.problem(f"queue {self._queue.name}", str(exc))
        log.warning(
            "queue.receive_failed",
            extra={"queue": self._queue.name, "reason": str(exc), "retry_after_s": round(pause_s, 3)},
        )
        try:
            async with asyncio.timeout(pause_s):
                await self._stop.wait()
        except TimeoutError:
            pass


async def give_back(queue: Queue, message: Message) -> None:
    """Make a message visible to others at once; when that fails, its visibility timeout does it later."""
    try:
        await queue.change_visibility(message, 0)
    except (UnavailableError, TransientError, ReceiptExpiredError) as exc:
        log.warning("message.give_back_failed", extra={**message.log_fields, "reason": str(exc)})
    else:
        log.info("message.given_back", extra=message.log_fields)

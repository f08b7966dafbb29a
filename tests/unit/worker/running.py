"""A complete worker in the test's event loop, on fakes; only the metrics server and the AWS clients are left out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orderboard_aws_client.backoff import Backoff
from support.waiting import eventually
from unit.worker.fakes import MemoryBus, MemoryOrders, SqsQueue
from worker.consumer import Consumer
from worker.health import Health
from worker.message import Message
from worker.metrics import Metrics
from worker.settings import Settings
from worker.sqs_queue import open_queue
from worker.wiring import build_worker

# Every wait is between 10 and 20 ms.
SHORT_RETRY = Backoff(base_s=0.02, max_s=0.02)
IMMEDIATE_RETRY = Backoff(base_s=0, max_s=0)
_RECEIVE_WAIT_S = 1
Result = TypeVar("Result")


async def until(check: Callable[[], Result]) -> Result:
    """Repeat check in the event loop, where the worker and its queues run, until it returns something true."""

    async def checked() -> Result:
        return check()

    return await eventually(checked, every_s=0.005)


@dataclass
class RunningWorker:
    """A running worker and its surroundings."""

    work: SqsQueue
    express: SqsQueue
    orders: MemoryOrders
    bus: MemoryBus
    health: Health
    metrics: Metrics
    consumer: Consumer
    stop: asyncio.Event
    task: "asyncio.Task[None]" = field(repr=False)

    async def drain(self) -> None:
        """Stop the worker as a signal would, end its long polls, and wait until it has drained."""
        self.stop.set()
        for queue in (self.work, self.express):
            queue.clock.advance(_RECEIVE_WAIT_S)
        await self.task

    def count(self, outcome: str, queue_name: str = "work") -> float:
        """Return the number of messages with this outcome."""
        labels = {"queue": queue_name, "outcome": outcome}
        return self.metrics.registry.get_sample_value("orderboard_worker_messages_total", labels) or 0


@asynccontextmanager
async def running_worker(
    *,
    work: SqsQueue | None = None,
    express: SqsQueue | None = None,
    orders: MemoryOrders | None = None,
    bus: MemoryBus | None = None,
    handle: Callable[[Message], Awaitable[str]] | None = None,
    **settings: Any,
) -> AsyncIterator[RunningWorker]:
    """Run a worker for the length of the block; leaving the block drains it. handle replaces all its handlers."""
    work, express, orders, bus = work or SqsQueue(), express or SqsQueue(), orders or MemoryOrders(), bus or MemoryBus()
    health, metrics, stop = Health(), Metrics(), asyncio.Event()
    names = {"work_queue": "work", "express_queue": "express", "bus_name": "bus", "orders_table": "orders"}
    usual = {"worker_concurrency": 8, "receive_wait_s": _RECEIVE_WAIT_S, "drain_deadline_s": 5, "allow_faults": True}
    clients: Any = {"express": express, "work": work}
    async with (
        open_queue(clients["express"], "express", "") as express_queue,
        open_queue(clients["work"], "work", "") as work_queue,
    ):
        consumer = build_worker(
            Settings(**{**names, **usual, **settings}),
            {"express": express_queue, "work": work_queue},
            orders,
            bus,
            health=health,
            metrics=metrics,
            stop=stop,
            message_retry=IMMEDIATE_RETRY,
            backend_retry=SHORT_RETRY,
        )
        if handle is not None:
            consumer.handle_together, consumer.handle = _none_together, handle
        drain_deadline_s = settings.get("drain_deadline_s", usual["drain_deadline_s"])
        task = asyncio.create_task(consumer.run(stop, drain_deadline_s))
        worker = RunningWorker(work, express, orders, bus, health, metrics, consumer, stop, task)
        yield worker
        await worker.drain()


async def _none_together(messages: Sequence[Message]) -> list[str | None]:
    return [None] * len(messages)

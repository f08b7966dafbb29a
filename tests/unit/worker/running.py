"""A whole worker in the test's own loop, on the fakes; only the HTTP monitor and the AWS clients are left out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from unit.worker.fakes import FakeSqs, MemoryBus, MemoryOrders
from worker.backoff import Backoff
from worker.brake import Brake
from worker.consumer import Consumer
from worker.handler import Handlers, Kitchen
from worker.health import Health
from worker.heartbeat import Heartbeat
from worker.intake import Intake
from worker.message import Message
from worker.metrics import Metrics
from worker.receiver import Polling, Receiver
from worker.sqs_queue import queue

AT_ONCE = Backoff(base_s=0.01, max_s=0.02)


@dataclass
class RunningWorker:
    """Handles on a worker that runs."""

    work: FakeSqs
    express: FakeSqs
    orders: MemoryOrders
    bus: MemoryBus
    health: Health
    metrics: Metrics
    heartbeat: Heartbeat
    stop: asyncio.Event
    task: "asyncio.Task[None]" = field(repr=False)

    async def drain(self) -> None:
        """Stop it as a signal would, and wait until it is done."""
        self.stop.set()
        await self.task

    def count(self, outcome: str, queue_name: str = "work") -> float:
        """How many messages ended so."""
        labels = {"queue": queue_name, "outcome": outcome}
        return self.metrics.registry.get_sample_value("orderboard_worker_messages_total", labels) or 0


@asynccontextmanager
async def running_worker(
    *,
    work: FakeSqs | None = None,
    express: FakeSqs | None = None,
    orders: MemoryOrders | None = None,
    bus: MemoryBus | None = None,
    handle: Callable[[Message], Awaitable[str]] | None = None,
    hands: int = 8,
    visibility_timeout_s: int = 30,
    heartbeat_s: float = 10,
    drain_deadline_s: float = 5,
    preparation_s: float = 0,
    allow_faults: bool = True,
) -> AsyncIterator[RunningWorker]:
    """Run a worker for the length of the block; leaving drains it."""
    work, express, orders, bus = work or FakeSqs(), express or FakeSqs(), orders or MemoryOrders(), bus or MemoryBus()
    health, metrics, stop = Health(), Metrics(), asyncio.Event()
    brake = Brake(AT_ONCE, health)
    kitchen = Kitchen("barista-1", preparation_s, frozenset(), allow_faults=allow_faults)
    handlers = Handlers(orders, bus.emit, kitchen, brake)
    intake = Intake(hands)
    async with AsyncExitStack() as stack:
        queues = {
            name: await stack.enter_async_context(queue(client, name, f"http://sqs.test/{name}"))
            for name, client in (("express", express), ("work", work))
        }
        heartbeat = Heartbeat(
            queues, interval_s=heartbeat_s, visibility_timeout_s=visibility_timeout_s, metrics=metrics
        )
        polling = Polling(polls=3, wait_s=1, visibility_timeout_s=visibility_timeout_s, retry=AT_ONCE)
        receivers = [
            Receiver(
                each,
                polling,
                intake=intake,
                heartbeat=heartbeat,
                brake=brake,
                health=health,
                metrics=metrics,
                stop=stop,
            )
            for each in queues.values()
        ]
        consumer = Consumer(
            handle or handlers.handle,
            queues=queues,
            intake=intake,
            heartbeat=heartbeat,
            brake=brake,
            metrics=metrics,
            hands=hands,
            retry=AT_ONCE,
        )
        task = asyncio.create_task(consumer.run(receivers, stop, drain_deadline_s))
        yield RunningWorker(work, express, orders, bus, health, metrics, heartbeat, stop, task)
        stop.set()
        await task

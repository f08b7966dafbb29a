"""A complete worker in the test's event loop, on fakes; only the metrics server and the AWS clients are left out.

It runs as the process does, or as the function behind event source mappings.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orderboard_aws_client.backoff import Backoff
from orderboard_contracts.tracing import Tracing
from support.waiting import eventually
from unit.worker.fakes import MemoryBus, MemoryOrders, SqsQueue
from worker.circuit_breaker import CircuitBreaker
from worker.consumer import Consumer
from worker.failures import UnavailableError
from worker.function import Function
from worker.health import Health
from worker.message import Message
from worker.metrics import Metrics
from worker.settings import Settings
from worker.sqs_queue import Queue, open_queue
from worker.wiring import build_handling, build_worker

# Every wait is between 10 and 20 ms.
SHORT_RETRY = Backoff(base_s=0.02, max_s=0.02)
IMMEDIATE_RETRY = Backoff(base_s=0, max_s=0)
_RECEIVE_WAIT_S = 1
_ACCOUNT = "arn:aws:sqs:us-east-1:000000000000"
_NAMES: Mapping[str, Any] = {
    "work_queue": "cafe-work",
    "express_queue": "cafe-express",
    "bus_name": "bus",
    "orders_table": "orders",
}
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
    tracing: Tracing | None = None,
    remaining_s: float = 0,  # of the other entry
    **settings: Any,
) -> AsyncIterator[RunningWorker]:
    """Run a worker for the length of the block; leaving the block drains it. handle replaces all its handlers."""
    del remaining_s
    work, express, orders, bus = work or SqsQueue(), express or SqsQueue(), orders or MemoryOrders(), bus or MemoryBus()
    health, metrics, stop = Health(), Metrics(), asyncio.Event()
    usual = {"worker_concurrency": 8, "receive_wait_s": _RECEIVE_WAIT_S, "drain_deadline_s": 5, "allow_faults": True}
    clients: Any = {"express": express, "work": work}
    async with (
        open_queue(clients["express"], "express", "") as express_queue,
        open_queue(clients["work"], "work", "") as work_queue,
    ):
        consumer = build_worker(
            Settings(**{**_NAMES, **usual, **settings}),
            {"express": express_queue, "work": work_queue},
            orders,
            bus,
            health=health,
            metrics=metrics,
            stop=stop,
            tracing=tracing,
            message_retry=IMMEDIATE_RETRY,
            backend_retry=SHORT_RETRY,
        )
        if handle is not None:
            consumer.handling.together, consumer.handling.alone = _none_together, handle
        drain_deadline_s = settings.get("drain_deadline_s", usual["drain_deadline_s"])
        task = asyncio.create_task(consumer.run(stop, drain_deadline_s))
        worker = RunningWorker(work, express, orders, bus, health, metrics, consumer, stop, task)
        yield worker
        await worker.drain()


@dataclass
class RunningFunction:
    """The function behind its two mappings, and its surroundings."""

    work: SqsQueue
    express: SqsQueue
    orders: MemoryOrders
    bus: MemoryBus
    function: Function
    remaining_s: float
    invocations: int = 0
    errors: list[UnavailableError] = field(default_factory=list)

    async def poll(self) -> None:
        """Do what a mapping does once for each queue: receive, invoke, delete what succeeded."""
        for name, queue in (("cafe-express", self.express), ("cafe-work", self.work)):
            received = await queue.receive_message(
                MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
            )
            if messages := received.get("Messages"):
                await self._invoke(queue, [record_of(message, name) for message in messages])

    async def _invoke(self, queue: SqsQueue, records: list[dict[str, Any]]) -> None:
        self.invocations += 1
        try:
            response = await self.function.handle({"Records": records}, self.remaining_s)
        except UnavailableError as exc:
            self.errors.append(exc)
            return
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        handles = [record["receiptHandle"] for record in records if record["messageId"] not in failed]
        if handles:
            entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
            await queue.delete_message_batch(Entries=entries)


@asynccontextmanager
async def running_function(
    *,
    work: SqsQueue | None = None,
    express: SqsQueue | None = None,
    orders: MemoryOrders | None = None,
    bus: MemoryBus | None = None,
    tracing: Tracing | None = None,
    remaining_s: float = 30,
    polls: bool = True,
    **settings: Any,
) -> AsyncIterator[RunningFunction]:
    """Run the function behind mappings for the length of the block; without polls, call `poll` instead."""
    work, express, orders, bus = work or SqsQueue(), express or SqsQueue(), orders or MemoryOrders(), bus or MemoryBus()
    breaker = CircuitBreaker(SHORT_RETRY, Health())
    clients: Any = {"express": express, "work": work}
    async with (
        open_queue(clients["express"], "express", "", linger_s=0) as express_queue,
        open_queue(clients["work"], "work", "", linger_s=0) as work_queue,
    ):
        queues = {"express": express_queue, "work": work_queue}

        async def opened(role: str) -> Queue:
            return queues[role]

        function = Function(
            handling=build_handling(
                Settings(**{**_NAMES, "allow_faults": True, **settings}),
                orders,
                bus,
                breaker,
                retry=IMMEDIATE_RETRY,
                tracing=tracing,
            ),
            breaker=breaker,
            roles={"cafe-work": "work", "cafe-express": "express"},
            queue=opened,
        )
        running = RunningFunction(work, express, orders, bus, function, remaining_s)
        task = asyncio.create_task(_poll(running)) if polls else None
        yield running
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _poll(running: RunningFunction) -> None:
    while True:
        await running.poll()
        await asyncio.sleep(0)


def record_of(message: Mapping[str, Any], queue_name: str) -> dict[str, Any]:
    """Return a received message as a record of the function's event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"{_ACCOUNT}:{queue_name}",
        "awsRegion": "us-east-1",
    }


Entry = Callable[..., AbstractAsyncContextManager[RunningWorker | RunningFunction]]
ENTRIES: Mapping[str, Entry] = {"process": running_worker, "function": running_function}


async def _none_together(messages: Sequence[Message]) -> list[str | None]:
    return [None] * len(messages)

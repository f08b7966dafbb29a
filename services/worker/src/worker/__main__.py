"""`python -m worker`: reads the settings, wires everything once, runs until a signal, drains."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

import uvloop
from orderboard_aws_client.event_bus import event_bus
from pydantic import ValidationError

from worker import logs
from worker.backoff import Backoff
from worker.brake import Brake
from worker.clients import Clients, clients
from worker.consumer import Consumer
from worker.handler import Handlers, Kitchen
from worker.health import Health
from worker.heartbeat import Heartbeat
from worker.intake import Intake
from worker.metrics import Metrics
from worker.monitor import MonitorAddressError, monitor
from worker.orders_table import orders_table
from worker.outcomes import Outcomes
from worker.queue_url import NoSuchQueueError, queue_url
from worker.receiver import Polling, Receiver
from worker.settings import Settings
from worker.sqs_queue import Queue, queue

log = logging.getLogger("worker")

_MESSAGE_RETRY = Backoff(base_s=1, max_s=60)
_BACKEND_RETRY = Backoff(base_s=0.2, max_s=10)
# After the drain deadline: giving back what is left, and closing clients that may hang on a dead backend.
_CLOSING_S = 8.0
EXIT_MISCONFIGURED = 2


def _settings(argv: Sequence[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="worker", description="The barista. Settings: the environment, ORDERBOARD_*.")
    parser.add_argument("--concurrency", type=int, help="orders at work at once (ORDERBOARD_WORKER_CONCURRENCY)")
    parser.add_argument("--metrics-port", type=int, help="0 takes a free one (ORDERBOARD_WORKER_METRICS_PORT)")
    arguments = parser.parse_args(argv)
    given = {"worker_concurrency": arguments.concurrency, "worker_metrics_port": arguments.metrics_port}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            name = "".join(f"ORDERBOARD_{str(part).upper()}: " for part in error["loc"][:1])
            print(f"worker: {name}{error['msg']}", file=sys.stderr)
        raise SystemExit(EXIT_MISCONFIGURED) from None


def _stop_on_signals(stop: asyncio.Event, limit: asyncio.Timeout, limit_s: float) -> None:
    """On a signal, set stop and let limit end the process's work limit_s later; on a second one, exit at once."""

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("worker.stopping", extra={"signal": signal.Signals(number).name})
        stop.set()
        limit.reschedule(asyncio.get_running_loop().time() + limit_s)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)


async def _queues(
    settings: Settings, aws: Clients, stack: AsyncExitStack, health: Health, stop: asyncio.Event
) -> dict[str, Queue]:
    """Both queues by lane; none when the worker is stopped while it waits for the backend."""
    names = {"express": settings.express_queue, "work": settings.work_queue}
    finding = asyncio.gather(
        *(
            queue_url(aws.sqs, name, f"ORDERBOARD_{lane.upper()}_QUEUE", health, _BACKEND_RETRY)
            for lane, name in names.items()
        )
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((finding, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not finding.done():
            finding.cancel()
            await asyncio.wait((finding,))
            return {}
    finally:
        stopping.cancel()
    return {
        lane: await stack.enter_async_context(queue(aws.sqs, lane, url))
        for lane, url in zip(names, finding.result(), strict=True)
    }


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    try:
        async with asyncio.timeout(None) as limit:
            _stop_on_signals(stop, limit, settings.drain_deadline_s + _CLOSING_S)
            await _serve(settings, stop)
    except TimeoutError:
        if not limit.expired():
            raise
        log.warning("worker.closing_cut_short")
    log.info("worker.stopped")


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    health = Health()
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            monitor(
                settings.worker_metrics_host,
                settings.worker_metrics_port,
                worker_id=settings.worker_id,
                health=health,
                registry=metrics.registry,
            )
        )
        log.info("worker.started", extra={"monitor": address, "concurrency": settings.worker_concurrency})
        aws = await stack.enter_async_context(
            clients(
                metrics.asked_aws,
                receive_wait_s=settings.receive_wait_s,
                connections=2 * settings.polls_per_queue + 32,
            )
        )
        queues = await _queues(settings, aws, stack, health, stop)
        if queues:
            await _consume(
                settings=settings, aws=aws, queues=queues, stack=stack, health=health, metrics=metrics, stop=stop
            )


async def _consume(
    *,
    settings: Settings,
    aws: Clients,
    queues: dict[str, Queue],
    stack: AsyncExitStack,
    health: Health,
    metrics: Metrics,
    stop: asyncio.Event,
) -> None:
    visibility_timeout_s = settings.work_visibility_timeout_s
    brake = Brake(_BACKEND_RETRY, health)
    intake = Intake(settings.worker_concurrency)
    heartbeat = Heartbeat(
        queues, interval_s=settings.heartbeat_s, visibility_timeout_s=visibility_timeout_s, metrics=metrics
    )
    bus = await stack.enter_async_context(event_bus(aws.events, linger_s=0.005))
    orders = await stack.enter_async_context(orders_table(aws.dynamodb, settings.orders_table))
    kitchen = Kitchen(
        settings.worker_id, settings.preparation_ms / 1000, settings.sold_out, allow_faults=settings.allow_faults
    )
    handlers = Handlers(orders, Outcomes(bus, settings.bus_name).emit, kitchen, brake)
    polling = Polling(settings.polls_per_queue, settings.receive_wait_s, visibility_timeout_s, _BACKEND_RETRY)
    receivers = [
        Receiver(
            queue,
            polling,
            intake=intake,
            heartbeat=heartbeat,
            brake=brake,
            health=health,
            metrics=metrics,
            stop=stop,
        )
        for queue in queues.values()
    ]
    consumer = Consumer(
        handlers.handle,
        queues=queues,
        intake=intake,
        heartbeat=heartbeat,
        brake=brake,
        metrics=metrics,
        hands=settings.worker_concurrency,
        retry=_MESSAGE_RETRY,
    )
    gc.collect()
    gc.freeze()  # what start has made stays: a full collection, which stops every hand, need not look at it again
    log.info("worker.polling", extra={"queues": list(queues)})
    await consumer.run(receivers, stop, settings.drain_deadline_s)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the worker; the exit status is 0 after a drain, 2 when a setting or a queue is wrong."""
    settings = _settings(sys.argv[1:] if argv is None else argv)
    logs.configure(settings.worker_id)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except (NoSuchQueueError, MonitorAddressError) as exc:
        log.error("worker.misconfigured", extra={"reason": str(exc)})  # noqa: TRY400 - the reason says it all
        return EXIT_MISCONFIGURED
    return 0


if __name__ == "__main__":
    sys.exit(main())

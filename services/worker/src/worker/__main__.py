"""`python -m worker`: read the settings, connect, run until a signal, drain."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import uvloop
from orderboard_aws_client.event_bus import event_bus
from orderboard_aws_client.json_logs import configure_json_logs
from orderboard_aws_client.startup import EXIT_MISCONFIGURED, freeze_heap, load_settings, start_tracing
from orderboard_contracts.tracing import Tracing

from worker.aws import Clients, NoSuchQueueError, queue_url, worker_clients
from worker.health import Health
from worker.metrics import Metrics
from worker.metrics_server import MetricsAddressError, metrics_server
from worker.orders_table import orders_table
from worker.outcomes import OutcomeBus
from worker.prefetch_buffer import QUEUES
from worker.settings import Settings
from worker.sqs_queue import open_queue
from worker.wiring import BACKEND_RETRY, build_worker

log = logging.getLogger("worker")

# After the drain deadline: time to give back the remaining messages and to close clients that hang on a dead backend.
_CLOSING_S: Final = 8.0


def _load_settings(argv: Sequence[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="worker", description="Settings: the environment variables ORDERBOARD_*.")
    parser.add_argument("--concurrency", type=int, help="orders handled at once (ORDERBOARD_WORKER_CONCURRENCY)")
    parser.add_argument("--metrics-port", type=int, help="0 picks a free one (ORDERBOARD_WORKER_METRICS_PORT)")
    arguments = parser.parse_args(argv)
    given = {"worker_concurrency": arguments.concurrency, "worker_metrics_port": arguments.metrics_port}
    return load_settings(
        "worker", lambda: Settings(**{name: value for name, value in given.items() if value is not None})
    )


def _stop_on_signals(stop: asyncio.Event, limit: asyncio.Timeout, limit_s: float) -> None:
    """On a signal, set stop and let limit end the process limit_s later; on a second signal, exit at once."""

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("worker.stopping", extra={"signal": signal.Signals(number).name})
        stop.set()
        limit.reschedule(asyncio.get_running_loop().time() + limit_s)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)


async def _run(settings: Settings, tracing: Tracing | None) -> None:
    stop = asyncio.Event()
    try:
        async with asyncio.timeout(None) as limit:
            _stop_on_signals(stop, limit, settings.drain_deadline_s + _CLOSING_S)
            await _serve(settings, stop, tracing)
    except TimeoutError:
        if not limit.expired():
            raise
        log.warning("worker.closing_cut_short")
    log.info("worker.stopped")


async def _serve(settings: Settings, stop: asyncio.Event, tracing: Tracing | None) -> None:
    health = Health()
    metrics = Metrics()
    host, port, worker_id = settings.worker_metrics_host, settings.worker_metrics_port, settings.worker_id
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            metrics_server(host, port, worker_id=worker_id, health=health, registry=metrics.registry)
        )
        log.info("worker.started", extra={"metrics_url": address, "concurrency": settings.worker_concurrency})
        aws = await stack.enter_async_context(
            worker_clients(
                metrics.aws_requests.count,
                receive_wait_s=settings.receive_wait_s,
                connections=2 * settings.polls_per_queue + 32,
            )
        )
        if not (urls := await _queue_urls(settings, aws, health, stop)):
            return
        queues = {name: await stack.enter_async_context(open_queue(aws.sqs, name, url)) for name, url in urls.items()}
        bus = await stack.enter_async_context(event_bus(aws.events, linger_s=0.005))
        orders = await stack.enter_async_context(orders_table(aws.dynamodb, settings.orders_table, tracing=tracing))
        outcomes = OutcomeBus(bus, settings.bus_name, tracing)
        worker = build_worker(
            settings, queues, orders, outcomes, health=health, metrics=metrics, stop=stop, tracing=tracing
        )
        freeze_heap()
        log.info("worker.polling", extra={"queues": list(queues)})
        await worker.run(stop, settings.drain_deadline_s)


async def _queue_urls(settings: Settings, aws: Clients, health: Health, stop: asyncio.Event) -> dict[str, str]:
    """Return the URLs of both queues; empty if the worker is stopped while it waits for the backend."""
    names = (settings.express_queue, settings.work_queue)
    finding = asyncio.gather(
        *(
            queue_url(aws.sqs, name, f"ORDERBOARD_{queue.upper()}_QUEUE", health, BACKEND_RETRY)
            for queue, name in zip(QUEUES, names, strict=True)
        )
    )
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((finding, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if finding.done():
        return dict(zip(QUEUES, finding.result(), strict=True))
    finding.cancel()
    await asyncio.wait((finding,))
    return {}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the worker; return 0 after a drain, 2 when a setting or a queue is wrong."""
    settings = _load_settings(sys.argv[1:] if argv is None else argv)
    tracing = start_tracing("worker", {"service.instance.id": settings.worker_id})
    configure_json_logs("worker", worker_id=settings.worker_id)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, tracing))
    except (NoSuchQueueError, MetricsAddressError) as exc:
        log.error("worker.misconfigured", extra={"reason": str(exc)})  # noqa: TRY400 - the reason is complete
        return EXIT_MISCONFIGURED
    finally:
        if tracing is not None:
            tracing.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

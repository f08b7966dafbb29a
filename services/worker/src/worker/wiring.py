"""Assembly of a worker from its settings, its queues and the store and bus that it writes to."""

import asyncio
from collections.abc import Mapping
from typing import Final

from orderboard_aws_client.backoff import Backoff
from orderboard_contracts.tracing import Tracing

from worker.circuit_breaker import CircuitBreaker
from worker.consumer import Consumer
from worker.handlers import Handlers, ProcessingSettings
from worker.handling import Handling
from worker.health import Health
from worker.heartbeat import Heartbeat
from worker.metrics import Metrics
from worker.orders_table import Orders
from worker.outcomes import Outcomes
from worker.prefetch_buffer import PrefetchBuffer
from worker.receiver import Polling, Receiver
from worker.settings import Settings
from worker.sqs_queue import Queue

MESSAGE_RETRY: Final = Backoff(base_s=1, max_s=60)
BACKEND_RETRY: Final = Backoff(base_s=0.2, max_s=10)


def build_worker(
    settings: Settings,
    queues: Mapping[str, Queue],
    orders: Orders,
    outcomes: Outcomes,
    *,
    health: Health,
    metrics: Metrics,
    stop: asyncio.Event,
    tracing: Tracing | None = None,
    message_retry: Backoff = MESSAGE_RETRY,
    backend_retry: Backoff = BACKEND_RETRY,
) -> Consumer:
    """Assemble a worker."""
    visibility_timeout_s = settings.work_visibility_timeout_s
    breaker = CircuitBreaker(backend_retry, health)
    buffer = PrefetchBuffer(settings.worker_concurrency)
    heartbeat = Heartbeat(queues, settings.heartbeat_s, visibility_timeout_s)
    metrics.held.set_function(lambda: len(heartbeat.leases))
    polling = Polling(settings.polls_per_queue, settings.receive_wait_s, visibility_timeout_s, backend_retry)
    receivers = [
        Receiver(
            queue=queue,
            queue_name=queue_names(settings)[queue.name],
            polling=polling,
            buffer=buffer,
            heartbeat=heartbeat,
            breaker=breaker,
            health=health,
            metrics=metrics,
            stop=stop,
            tracing=tracing,
        )
        for queue in queues.values()
    ]
    return Consumer(
        handling=build_handling(settings, orders, outcomes, breaker, retry=message_retry, tracing=tracing),
        receivers=receivers,
        queues=queues,
        buffer=buffer,
        heartbeat=heartbeat,
        breaker=breaker,
        metrics=metrics,
        concurrency=settings.worker_concurrency,
    )


def build_handling(
    settings: Settings,
    orders: Orders,
    outcomes: Outcomes,
    breaker: CircuitBreaker,
    *,
    retry: Backoff = MESSAGE_RETRY,
    tracing: Tracing | None = None,
) -> Handling:
    """Assemble the handling of messages, which is the same in the process and in the function."""
    processing = ProcessingSettings(
        settings.worker_id, settings.preparation_ms / 1000, settings.sold_out, allow_faults=settings.allow_faults
    )
    handlers = Handlers(orders, outcomes, processing, breaker)
    return Handling(
        together=handlers.handle_new_orders,
        alone=handlers.handle,
        retry=retry,
        queue_names=queue_names(settings),
        tracing=tracing,
    )


def queue_names(settings: Settings) -> dict[str, str]:
    """Return the names of the queues in SQS, by their roles."""
    return {"work": settings.work_queue, "express": settings.express_queue}

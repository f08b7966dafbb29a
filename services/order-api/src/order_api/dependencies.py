"""Dependencies of the routes: created at start, closed in order after the last request."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from orderboard_aws_client.event_bus import event_bus
from orderboard_aws_client.request_metrics import CountRequests
from orderboard_contracts.tracing import Tracing

from order_api.aws import Clients
from order_api.health import Readiness
from order_api.idempotency import IdempotencyCache
from order_api.metrics import Metrics
from order_api.order_queries import OrderQueries
from order_api.orders_topic import orders_topic
from order_api.publisher import Publisher
from order_api.settings import Settings

OpenClients = Callable[[Settings, CountRequests], AbstractAsyncContextManager[Clients]]


@dataclass(frozen=True)
class Dependencies:
    """Objects shared by all requests."""

    settings: Settings
    publisher: Publisher
    idempotency: IdempotencyCache
    queries: OrderQueries
    readiness: Readiness


@asynccontextmanager
async def open_dependencies(
    settings: Settings, open_clients: OpenClients, metrics: Metrics, tracing: Tracing | None
) -> AsyncIterator[Dependencies]:
    """Open the clients and the batchers; on exit, send the waiting commands, then close."""
    limits: dict[str, Any] = {
        "linger_s": settings.api_publish_linger_ms / 1000,
        "max_concurrent_calls": settings.api_publish_slots,
        "max_waiting": settings.api_publish_max_waiting,
    }
    async with AsyncExitStack() as stack:
        clients = await stack.enter_async_context(open_clients(settings, metrics.aws_requests.count))
        topic = await stack.enter_async_context(orders_topic(clients.sns, settings.orders_topic_arn, **limits))
        bus = await stack.enter_async_context(event_bus(clients.events, **limits))
        metrics.waiting.labels("sns").set_function(lambda: topic.waiting)
        metrics.waiting.labels("events").set_function(lambda: bus.waiting)
        yield Dependencies(
            settings=settings,
            publisher=Publisher(
                topic,
                bus,
                topic_name=settings.orders_topic_arn.rpartition(":")[2],
                bus_name=settings.bus_name,
                deadline_s=settings.api_publish_deadline_s,
                tracing=tracing,
            ),
            idempotency=IdempotencyCache(settings.api_remembered_keys),
            queries=OrderQueries(
                clients.dynamodb,
                table=settings.orders_table,
                deadline_s=settings.api_lookup_deadline_s,
                tracing=tracing,
            ),
            readiness=Readiness(clients, settings),
        )


def dependencies(request: Request) -> Dependencies:
    """Return the dependencies of the app that received this request."""
    opened: Dependencies = request.app.state.dependencies
    return opened

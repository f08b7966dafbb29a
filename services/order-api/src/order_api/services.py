"""What the routes work with, made once at start and ended, in order, after the last request."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from orderboard_aws_client.event_bus import event_bus
from orderboard_aws_client.request_counts import CountRequests

from order_api.aws import Clients
from order_api.health import Readiness
from order_api.idempotency import KeyMemory
from order_api.lookup import Lookup
from order_api.metrics import Metrics
from order_api.orders_topic import orders_topic
from order_api.publisher import Publisher
from order_api.settings import Settings

OpenClients = Callable[[Settings, CountRequests], AbstractAsyncContextManager[Clients]]


@dataclass(frozen=True)
class Services:
    """Everything a route may need."""

    settings: Settings
    publisher: Publisher
    keys: KeyMemory
    lookup: Lookup
    readiness: Readiness


@asynccontextmanager
async def open_services(settings: Settings, open_clients: OpenClients, metrics: Metrics) -> AsyncIterator[Services]:
    """Open the clients and the batchers; on leaving, send what still waits, then close."""
    linger_s = settings.api_publish_linger_ms / 1000
    max_concurrent_calls, max_waiting = settings.api_publish_slots, settings.api_publish_max_waiting
    async with AsyncExitStack() as stack:
        clients = await stack.enter_async_context(open_clients(settings, metrics.asked_aws))
        topic = await stack.enter_async_context(
            orders_topic(
                clients.sns,
                settings.orders_topic_arn,
                linger_s=linger_s,
                max_concurrent_calls=max_concurrent_calls,
                max_waiting=max_waiting,
            )
        )
        bus = await stack.enter_async_context(
            event_bus(
                clients.events, linger_s=linger_s, max_concurrent_calls=max_concurrent_calls, max_waiting=max_waiting
            )
        )
        metrics.waiting.labels("sns").set_function(lambda: topic.waiting)
        metrics.waiting.labels("events").set_function(lambda: bus.waiting)
        yield Services(
            settings=settings,
            publisher=Publisher(topic, bus, bus_name=settings.bus_name, deadline_s=settings.api_publish_deadline_s),
            keys=KeyMemory(settings.api_remembered_keys),
            lookup=Lookup(clients.dynamodb, table=settings.orders_table, deadline_s=settings.api_lookup_deadline_s),
            readiness=Readiness(clients, settings),
        )


def services_of(request: Request) -> Services:
    """The services of the app that got this request."""
    services: Services = request.app.state.services
    return services

"""The API's AWS clients, with their timeouts and retries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from orderboard_aws_client.clients import open_clients
from orderboard_aws_client.lean import AioConfig
from orderboard_aws_client.request_metrics import CountRequests

from order_api.settings import Settings

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_events.client import EventBridgeClient
    from types_aiobotocore_sns.client import SNSClient

_CONNECT_TIMEOUT_S: Final = 1.0
_READ_TIMEOUT_S: Final = 2.0
_ATTEMPTS: Final = 2  # two full timeouts still fit into the publish deadline


class Clients(NamedTuple):
    """One client for each service, shared by all requests."""

    sns: "SNSClient"
    events: "EventBridgeClient"
    dynamodb: "DynamoDBClient"


@asynccontextmanager
async def open_aws_clients(settings: Settings, count: CountRequests) -> AsyncIterator[Clients]:
    """Open the clients; count is called for every request that they send."""
    publishing = AioConfig(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=settings.api_publish_slots + 2,  # two more for the readiness checks
        tcp_keepalive=True,
    )
    reading = publishing.merge(AioConfig(max_pool_connections=50))
    async with open_clients({"sns": publishing, "events": publishing, "dynamodb": reading}, count) as clients:
        yield Clients(*clients)

"""The AWS clients: what is asked of them, how patient they are, and what their errors mean here.

Whoever calls a client catches AWS_ERRORS and says `reason(exc)`; nobody else looks into botocore's exceptions.
"""

import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from orderboard_aws_client.client_tuning import LOW_OVERHEAD_CONFIG, encode_forms_once
from orderboard_aws_client.request_counts import CountRequests, count_requests

from order_api.settings import Settings

# An answer that breaks off in its body, or is none, reaches the caller as aiohttp, the parser or the system raised it.
AWS_ERRORS: Final = (
    ClientError,
    BotoCoreError,
    ResponseParserError,
    aiohttp.ClientError,
    OSError,
    json.JSONDecodeError,
)
_CONNECT_TIMEOUT_S: Final = 1.0
_READ_TIMEOUT_S: Final = 2.0
_ATTEMPTS: Final = 2  # two full timeouts still fit into the publish deadline


class SnsClient(Protocol):
    """What is asked of SNS."""

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Any) -> Awaitable[Any]:  # noqa: N803
        """Publish 1 to 10 messages."""

    def get_topic_attributes(self, *, TopicArn: str) -> Awaitable[Any]:  # noqa: N803
        """Answers when the topic is there."""


class EventsClient(Protocol):
    """What is asked of EventBridge."""

    def put_events(self, *, Entries: Any) -> Awaitable[Any]:  # noqa: N803
        """Put 1 to 10 events."""

    def describe_event_bus(self, *, Name: str) -> Awaitable[Any]:  # noqa: N803
        """Answers when the bus is there."""


class DynamoDbClient(Protocol):
    """What is asked of DynamoDB."""

    def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> Awaitable[Any]:  # noqa: N803
        """Read one row."""

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        IndexName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Any,  # noqa: N803
        ScanIndexForward: bool,  # noqa: N803
        Limit: int,  # noqa: N803
        ExclusiveStartKey: Any = ...,  # noqa: N803
    ) -> Awaitable[Any]:
        """Read a page of rows."""

    def describe_table(self, *, TableName: str) -> Awaitable[Any]:  # noqa: N803
        """Answers when the table is there."""


@dataclass(frozen=True)
class Clients:
    """One client a service, shared by all requests."""

    sns: SnsClient
    events: EventsClient
    dynamodb: DynamoDbClient


@asynccontextmanager
async def open_clients(settings: Settings, count: CountRequests) -> AsyncIterator[Clients]:
    """Clients by the standard AWS environment. Nothing is sent yet, so a backend that is down does not matter here.

    count is told of every request that they send.
    """
    config = AioConfig(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=settings.api_publish_slots + 2,  # two more for the readiness checks
        tcp_keepalive=True,
        **LOW_OVERHEAD_CONFIG,
    )
    reading = config.merge(AioConfig(max_pool_connections=50))
    session = get_session()
    async with AsyncExitStack() as stack:
        sns = await stack.enter_async_context(session.create_client("sns", config=config))
        events = await stack.enter_async_context(session.create_client("events", config=config))
        dynamodb = await stack.enter_async_context(session.create_client("dynamodb", config=reading))
        for client in (sns, events, dynamodb):
            count_requests(client, count)
        encode_forms_once(sns)
        yield Clients(sns, events, dynamodb)


def reason(exc: BaseException) -> str:
    """An AWS error in a few words for the log: the service's own code, or the kind of failed connection."""
    if isinstance(exc, ClientError):
        return f"{exc.operation_name}: {error_code(exc)}"
    return type(exc).__name__


def error_code(exc: ClientError) -> str:
    """The service's own code, such as Throttling."""
    return str(exc.response.get("Error", {}).get("Code", "Unknown"))

"""AWS clients: their limits in time and number. Endpoint, region and credentials come from the standard environment."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from orderboard_aws_client.client_tuning import LOW_OVERHEAD_CONFIG
from orderboard_aws_client.request_counts import CountRequests, count_requests

from worker.sqs_queue import note_receives

_CONNECT_TIMEOUT_S: Final = 3
_READ_TIMEOUT_S: Final = 5
# The worker has retries of its own, which know the visibility timeout; botocore's only bridge a broken connection.
_ATTEMPTS: Final = 2


@dataclass(frozen=True)
class Clients:
    """One client a service. Untyped: each user names the calls it needs in a Protocol."""

    sqs: Any
    dynamodb: Any
    events: Any


@asynccontextmanager
async def clients(count: CountRequests, *, receive_wait_s: int, connections: int) -> AsyncIterator[Clients]:
    """Open the clients, whose requests are counted; a receive may take receive_wait_s longer than other calls."""

    def config(read_timeout_s: float) -> AioConfig:
        return AioConfig(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            max_pool_connections=connections,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            tcp_keepalive=True,
            **LOW_OVERHEAD_CONFIG,
        )

    session = get_session()
    async with AsyncExitStack() as stack:
        opened = Clients(
            sqs=await stack.enter_async_context(
                session.create_client("sqs", config=config(receive_wait_s + _READ_TIMEOUT_S))
            ),
            dynamodb=await stack.enter_async_context(session.create_client("dynamodb", config=config(_READ_TIMEOUT_S))),
            events=await stack.enter_async_context(session.create_client("events", config=config(_READ_TIMEOUT_S))),
        )
        for client in (opened.sqs, opened.dynamodb, opened.events):
            count_requests(client, count)
        note_receives(opened.sqs)
        yield opened

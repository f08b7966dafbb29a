"""The worker's access to AWS: clients with their timeouts, and queue URLs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError
from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.clients import open_clients
from orderboard_aws_client.errors import AWS_ERRORS, error_code
from orderboard_aws_client.lean import AioConfig
from orderboard_aws_client.request_metrics import CountRequests

from worker.health import Health
from worker.sqs_queue import note_receives

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_events.client import EventBridgeClient
    from types_aiobotocore_sqs.client import SQSClient

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S: Final = 3
_READ_TIMEOUT_S: Final = 5
# The worker's own retries take the visibility timeout into account; botocore's only cover a broken connection.
_ATTEMPTS: Final = 2
_NO_SUCH_QUEUE: Final = frozenset(("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"))


class Clients(NamedTuple):
    """One client for each service."""

    sqs: "SQSClient"
    dynamodb: "DynamoDBClient"
    events: "EventBridgeClient"


@asynccontextmanager
async def worker_clients(count: CountRequests, *, receive_wait_s: int, connections: int) -> AsyncIterator[Clients]:
    """Open the clients. A receive may take receive_wait_s longer than other calls."""

    def config(read_timeout_s: float) -> AioConfig:
        return AioConfig(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            max_pool_connections=connections,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            tcp_keepalive=True,
        )

    usual = config(_READ_TIMEOUT_S)
    configs = {"sqs": config(receive_wait_s + _READ_TIMEOUT_S), "dynamodb": usual, "events": usual}
    async with open_clients(configs, count) as opened:
        clients = Clients(*opened)
        note_receives(clients.sqs)
        yield clients


class NoSuchQueueError(Exception):
    """The backend responds, and the queue does not exist."""


async def queue_url(client: "SQSClient", name: str, setting: str, health: Health, retry: Backoff) -> str:
    """Return the URL of a queue, retrying until the backend responds.

    Raises NoSuchQueueError, which names the setting to change.
    """
    component = f"queue {name}"
    failures = 0
    while True:
        try:
            url = str((await client.get_queue_url(QueueName=name))["QueueUrl"])
        except AWS_ERRORS as exc:
            if isinstance(exc, ClientError) and error_code(exc) in _NO_SUCH_QUEUE:
                raise NoSuchQueueError(
                    f"the queue {name!r} does not exist: deploy the stack first (`orderboard deploy`), "
                    f"or set {setting} to one of its queues, and check the endpoint and region"
                ) from exc
            failures += 1
            health.unhealthy(component, str(exc))
            wait_s = retry.equal_jitter_s(failures)
            extra = {"queue": name, "reason": str(exc), "retry_after_s": round(wait_s, 3)}
            log.warning("queue.not_found_yet", extra=extra)
            await asyncio.sleep(wait_s)
        else:
            health.healthy(component)
            return url

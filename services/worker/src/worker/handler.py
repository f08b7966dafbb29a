"""Lambda's entry point. The first invocation creates settings and clients, later ones reuse them.

The clients are those of the process (aiobotocore), so that recording an order and publishing its outcome are written
once. Their event loop is kept, too, and stands still between invocations.
"""

import asyncio
import os
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.event_bus import event_bus
from orderboard_aws_client.json_logs import configure_json_logs
from orderboard_aws_client.startup import invalid_settings
from orderboard_contracts.tracing import Tracing, start_in_function
from pydantic import ValidationError

from worker.aws import Clients, queue_url, worker_clients
from worker.circuit_breaker import CircuitBreaker
from worker.function import Function, Response
from worker.health import Health
from worker.orders_table import orders_table
from worker.outcomes import OutcomeBus
from worker.settings import Settings
from worker.sqs_queue import Queue, open_queue
from worker.wiring import build_handling, queue_names

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# A wait between attempts must be far shorter than an invocation.
_RETRY: Final = Backoff(base_s=0.1, max_s=1)
_CONNECTIONS: Final = 32


class SettingsError(ValueError):
    """Variables are missing or invalid; the message names them. The function must be deployed again."""


class _Environment(NamedTuple):
    runner: asyncio.Runner
    function: Function
    tracing: Tracing | None


@cache
def _environment() -> _Environment:
    try:
        settings = Settings(worker_id=_worker_id(os.environ))
    except ValidationError as exc:
        raise SettingsError("; ".join(invalid_settings(exc))) from exc
    configure_json_logs("worker", worker_id=settings.worker_id)
    tracing = start_in_function("worker", {"service.instance.id": settings.worker_id})
    runner = asyncio.Runner()
    return _Environment(runner, runner.run(_function(settings, tracing)), tracing)


async def _function(settings: Settings, tracing: Tracing | None) -> Function:
    stack = AsyncExitStack()  # it ends with the execution environment, which Lambda ends without notice
    aws = await stack.enter_async_context(worker_clients(_uncounted, receive_wait_s=0, connections=_CONNECTIONS))
    bus = await stack.enter_async_context(event_bus(aws.events))
    orders = await stack.enter_async_context(orders_table(aws.dynamodb, settings.orders_table, tracing=tracing))
    health = Health()
    breaker = CircuitBreaker(_RETRY, health)
    names = queue_names(settings)
    outcomes = OutcomeBus(bus, settings.bus_name, tracing)
    return Function(
        handling=build_handling(settings, orders, outcomes, breaker, tracing=tracing),
        breaker=breaker,
        roles={name: role for role, name in names.items()},
        queue=_Queues(aws, names, health, stack).open,
    )


class _Queues:
    """The queues by role, each opened when a message first returns to it."""

    def __init__(self, aws: Clients, names: Mapping[str, str], health: Health, stack: AsyncExitStack) -> None:
        self._aws, self._names, self._health, self._stack = aws, names, health, stack
        self._opened: dict[str, Queue] = {}
        self._lock = asyncio.Lock()

    async def open(self, role: str) -> Queue:
        """Return the queue of a role; its URL is asked for until SQS responds."""
        async with self._lock:
            if role not in self._opened:
                setting = f"ORDERBOARD_{role.upper()}_QUEUE"
                url = await queue_url(self._aws.sqs, self._names[role], setting, self._health, _RETRY)
                queue = open_queue(self._aws.sqs, role, url)
                self._opened[role] = await self._stack.enter_async_context(queue)
            return self._opened[role]


def _worker_id(environ: Mapping[str, str]) -> str:
    """Return a name for this execution environment: the host's name and process id are the same in all of them."""
    return f"{environ.get('AWS_LAMBDA_FUNCTION_NAME', 'function')}-{secrets.token_hex(4)}"


def _uncounted(_service: str, _operation: str, _requests: int, _entries: int) -> None:
    """Requests are counted by CloudWatch, as nobody could scrape a function."""


def handle(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Handle a batch of SQS messages and return `batchItemFailures` (ReportBatchItemFailures)."""
    runner, function, tracing = _environment()
    try:
        return runner.run(function.handle(event, context.get_remaining_time_in_millis() / 1000))
    finally:
        if tracing is not None:
            tracing.flush()

"""From a queue's name to its URL, at start. A missing backend is waited for; a missing queue is an error."""

import asyncio
import logging
import random
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from worker.aws_errors import CALL_ERRORS, code_of
from worker.backoff import Backoff
from worker.health import Health

log = logging.getLogger(__name__)

_NO_SUCH_QUEUE: Final = frozenset(("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"))


class NoSuchQueueError(Exception):
    """The backend answers, and has no such queue."""


class GetQueueUrlClient(Protocol):
    """The one call of an aiobotocore SQS client that is needed here."""

    def get_queue_url(self, *, QueueName: str) -> Awaitable[Any]:  # noqa: N803 - AWS's name
        """Call GetQueueUrl."""


async def queue_url(client: GetQueueUrlClient, name: str, setting: str, health: Health, retry: Backoff) -> str:
    """Ask until the backend answers. Raises NoSuchQueueError with the mend; cancel it to stop waiting."""
    part = f"queue {name}"
    failures = 0
    while True:
        try:
            url = str((await client.get_queue_url(QueueName=name))["QueueUrl"])
        except ClientError as exc:
            if code_of(exc) in _NO_SUCH_QUEUE:
                raise NoSuchQueueError(
                    f"there is no queue named {name!r}: deploy the stack first (`orderboard deploy`), "
                    f"or set {setting} to one of its queues, and check the endpoint and region"
                ) from exc
            reason = str(exc)
        except CALL_ERRORS as exc:
            reason = str(exc)
        else:
            health.well(part)
            return url
        failures += 1
        health.problem(part, reason)
        pause_s = retry.wait_s(failures, 0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
        log.warning("queue.not_found_yet", extra={"queue": name, "reason": reason, "retry_after_s": round(pause_s, 3)})
        await asyncio.sleep(pause_s)

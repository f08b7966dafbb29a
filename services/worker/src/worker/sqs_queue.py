"""One SQS queue: receive, delete, change visibility. Concurrent deletes and visibility changes share calls."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import EntryError, EntryRefusedError

from worker.failures import PoisonError, ReceiptExpiredError, TransientError, UnavailableError, translated
from worker.message import Message

if TYPE_CHECKING:
    from types_aiobotocore_sqs.client import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH: Final = 10
# A response this much later than the long poll allows was delayed: by the network, or because this process was frozen.
_LATE_S: Final = 1.0
# Nobody waits for a delete, so those of several polls share a call.
_DELETE_LINGER_S: Final = 0.1
# The time of the last attempt of this task's receive. The client may send it again, long after the first attempt.
_sent_at: ContextVar[float] = ContextVar("_sent_at")


@dataclass(frozen=True)
class Queue:
    """A queue, named `work` or `express`.

    Methods raise UnavailableError or TransientError, and ReceiptExpiredError when the receipt handle is not valid; only
    delete returns them.
    """

    name: str
    client: "SQSClient"
    url: str
    deletes: Batcher[str, None]
    changes: Batcher[tuple[str, int], None]

    async def receive(self, at_most: int, *, wait_s: int, visibility_timeout_s: int) -> list[Message]:
        """Long-poll for 1 to 10 messages, which are leased for visibility_timeout_s from their received_at.

        SQS counts the timeout from its response, which normally arrives at once. A late response counts from the
        request (see note_receives), which errs on the safe side.
        """
        _note_sent()
        with translated():
            response = await self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=at_most,
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=visibility_timeout_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        responded_at = asyncio.get_running_loop().time()
        requested_at = _sent_at.get()
        received_at = requested_at if responded_at - requested_at > wait_s + _LATE_S else responded_at
        return [Message.of(self.name, raw, received_at) for raw in response.get("Messages", [])]

    async def delete(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Delete messages; return for each the error that it met."""
        results = await self.deletes.submit_many([message.receipt_handle for message in messages])
        return [None if result is None else _translated(result) for result in results]

    async def change_visibility(self, message: Message, timeout_s: int) -> None:
        """Make the message visible to others timeout_s from now; 0 makes it visible at once."""
        with _receipts():
            await self.changes.submit((message.receipt_handle, timeout_s))


def note_receives(client: Any) -> None:
    """Register a hook that notes the time of each attempt of a receive of this aiobotocore client.

    When a frozen worker resumes, its poll has timed out and the client sends it again. Counted from the first attempt,
    messages of the second would seem expired on arrival and stay unhandled for a whole visibility timeout.
    """
    client.meta.events.register("before-send.sqs.ReceiveMessage", _note_sent)


def _note_sent(**_: Any) -> None:
    _sent_at.set(asyncio.get_running_loop().time())


@asynccontextmanager
async def open_queue(client: "SQSClient", name: str, url: str, *, linger_s: float = 0.005) -> AsyncIterator[Queue]:
    """Open a Queue; its batches are sent while the context is entered."""

    async def delete(receipt_handles: Sequence[str]) -> list[EntryError | None]:
        entries: Any = [{"Id": str(i), "ReceiptHandle": handle} for i, handle in enumerate(receipt_handles)]
        return _results(entries, await client.delete_message_batch(QueueUrl=url, Entries=entries))

    async def change(changes: Sequence[tuple[str, int]]) -> list[EntryError | None]:
        entries: Any = [
            {"Id": str(i), "ReceiptHandle": handle, "VisibilityTimeout": timeout_s}
            for i, (handle, timeout_s) in enumerate(changes)
        ]
        return _results(entries, await client.change_message_visibility_batch(QueueUrl=url, Entries=entries))

    async with (
        Batcher(delete, limits=Limits(MAX_BATCH, linger_s=_DELETE_LINGER_S)) as deletes,
        Batcher(change, limits=Limits(MAX_BATCH, linger_s=linger_s)) as changes,
    ):
        yield Queue(name, client, url, deletes, changes)


def _results(entries: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> list[EntryError | None]:
    failed = {failure["Id"]: EntryError.of(failure) for failure in response.get("Failed", [])}
    return [failed.get(entry["Id"]) for entry in entries]


@contextmanager
def _receipts() -> Iterator[None]:
    """Raise ReceiptExpiredError for a sender's fault: the receipt expired or was replaced, or the message is gone."""
    with translated():
        try:
            yield
        except EntryRefusedError as exc:
            if exc.error.retryable:
                raise
            raise ReceiptExpiredError(str(exc)) from exc


def _translated(failure: Exception) -> Exception:
    try:
        with _receipts():
            raise failure
    except (UnavailableError, TransientError, ReceiptExpiredError, PoisonError) as exc:
        return exc

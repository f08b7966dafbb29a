"""One SQS queue: receive, delete, change visibility. Deletes and changes of concurrent callers share calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol

from orderboard_aws_client.batcher import Batcher
from orderboard_aws_client.errors import EntryError, EntryRefusedError
from orderboard_aws_client.limits import Limits

from worker.aws_errors import translated
from worker.failures import ReceiptExpiredError
from worker.message import Message

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH: Final = 10
# An answer this much later than the wait allows was delayed on its way: by the network, or because we were frozen.
_LATE_S: Final = 1.0
# When this task's receive was sent, for the last time: a client may send it again, long after it was asked to.
_sent_at: ContextVar[float] = ContextVar("_sent_at")


class SqsClient(Protocol):
    """The calls of an aiobotocore SQS client that are needed here."""

    def receive_message(self, **request: Any) -> Awaitable[Any]:
        """Call ReceiveMessage."""

    def delete_message_batch(self, *, QueueUrl: str, Entries: Any) -> Awaitable[Any]:  # noqa: N803 - AWS's names
        """Call DeleteMessageBatch with 1 to 10 entries."""

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Any) -> Awaitable[Any]:  # noqa: N803
        """Call ChangeMessageVisibilityBatch with 1 to 10 entries."""


@dataclass(frozen=True)
class _Visibility:
    receipt_handle: str
    timeout_s: int


class Queue:
    """A queue; its name is that of its lane.

    Calls raise UnavailableError or TransientError; for a receipt that is no good any more, ReceiptExpiredError.
    """

    def __init__(
        self,
        client: SqsClient,
        name: str,
        url: str,
        deletes: Batcher[str, None],
        changes: Batcher[_Visibility, None],
    ) -> None:
        self.name = name
        self._client = client
        self._url = url
        self._deletes = deletes
        self._changes = changes

    async def receive(self, at_most: int, *, wait_s: int, visibility_timeout_s: int) -> list[Message]:
        """Long-poll for 1 to 10 messages; they are ours for visibility_timeout_s from their received_at on.

        SQS counts that time from when it answers. Normally the answer is here at once; one that is late counts from
        when we asked (see note_receives), which errs on the safe side.
        """
        _note_sent()
        with translated():
            response = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=at_most,
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=visibility_timeout_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        answered_at = asyncio.get_running_loop().time()
        asked_at = _sent_at.get()
        received_at = asked_at if answered_at - asked_at > wait_s + _LATE_S else answered_at
        return [Message.of(self.name, raw, received_at) for raw in response.get("Messages", [])]

    async def delete(self, message: Message) -> None:
        """Return once the message is gone for good."""
        with _receipts():
            await self._deletes.submit(message.receipt_handle)

    async def change_visibility(self, message: Message, timeout_s: int) -> None:
        """Make the message visible to others timeout_s from now; 0 gives it back at once."""
        with _receipts():
            await self._changes.submit(_Visibility(message.receipt_handle, timeout_s))


def note_receives(client: Any) -> None:
    """Have an aiobotocore client note when it sends a receive, the second attempt too.

    A worker that was frozen finds its poll timed out, and the client asks again. Counted from the first attempt, what
    that brings would seem to be no longer ours, and would rest for a whole visibility timeout.
    """
    client.meta.events.register("before-send.sqs.ReceiveMessage", _note_sent)


def _note_sent(**_: Any) -> None:
    _sent_at.set(asyncio.get_running_loop().time())


@asynccontextmanager
async def queue(client: SqsClient, name: str, url: str, *, linger_s: float = 0.005) -> AsyncIterator[Queue]:
    """A Queue that sends its batches while the context is entered."""

    async def delete(receipt_handles: Sequence[str]) -> list[EntryError | None]:
        entries = [{"Id": str(i), "ReceiptHandle": handle} for i, handle in enumerate(receipt_handles)]
        return _results(entries, await client.delete_message_batch(QueueUrl=url, Entries=entries))

    async def change(wishes: Sequence[_Visibility]) -> list[EntryError | None]:
        entries = [
            {"Id": str(i), "ReceiptHandle": wish.receipt_handle, "VisibilityTimeout": wish.timeout_s}
            for i, wish in enumerate(wishes)
        ]
        return _results(entries, await client.change_message_visibility_batch(QueueUrl=url, Entries=entries))

    limits = Limits(max_entries=MAX_BATCH, linger_s=linger_s)
    async with Batcher(delete, limits=limits) as deletes, Batcher(change, limits=limits) as changes:
        yield Queue(client, name, url, deletes, changes)


def _results(entries: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> list[EntryError | None]:
    failed = {failure["Id"]: failure for failure in response.get("Failed", [])}
    return [_refused(failed[entry["Id"]]) if entry["Id"] in failed else None for entry in entries]


def _refused(failure: Mapping[str, Any]) -> EntryError:
    return EntryError(failure["Code"], failure.get("Message", ""), retryable=not failure["SenderFault"])


@contextmanager
def _receipts() -> Iterator[None]:
    """An entry that is refused as the sender's fault is a receipt that expired, was replaced, or was deleted."""
    with translated():
        try:
            yield
        except EntryRefusedError as exc:
            if exc.error.retryable:
                raise
            raise ReceiptExpiredError(str(exc)) from exc

"""A received message, and the lease under which the worker holds it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from orderboard_contracts.trace_carrier import Carried
from orderboard_contracts.tracing import Processing, span_ids

from worker.failures import ReceiptExpiredError

# Counted from the receive, including extensions: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
MAX_VISIBILITY_S: Final = 12 * 60 * 60
_ENDED: Final = "the visibility timeout ended, or SQS rejected the receipt"


@dataclass(frozen=True)
class Message:
    """One receive of a message. received_at is a time of the event loop's clock, which runs on in a frozen process.

    processing is the span of its handling, if traces are on and it has begun.
    """

    queue: str
    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    received_at: float
    processing: Processing | None = None

    @classmethod
    def of(cls, queue: str, raw: Mapping[str, Any], received_at: float) -> Self:
        """Read a message of a ReceiveMessage response that includes ApproximateReceiveCount."""
        return cls(
            queue=queue,
            message_id=raw["MessageId"],
            receipt_handle=raw["ReceiptHandle"],
            body=raw["Body"],
            receive_count=int(raw["Attributes"]["ApproximateReceiveCount"]),
            received_at=received_at,
        )

    @classmethod
    def of_record(cls, queue: str, record: Mapping[str, Any], received_at: float) -> Self:
        """Read a record of a Lambda event: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
        return cls(
            queue=queue,
            message_id=record["messageId"],
            receipt_handle=record["receiptHandle"],
            body=record["body"],
            receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
            received_at=received_at,
        )

    def extension_s(self, requested_s: int, now: float) -> int:
        """Return how far SQS lets the visibility timeout be extended: requested_s, or the rest of twelve hours."""
        return max(0, min(requested_s, int(self.received_at + MAX_VISIBILITY_S - now) - 1))

    @property
    def log_fields(self) -> dict[str, object]:
        """Fields of every log line about this message. It reads the body: see fields_with for what is logged often."""
        return self.fields_with(Carried.by(self.body))

    def fields_with(self, carried: Carried) -> dict[str, object]:
        """Fields of a log line about this message, whose body says this."""
        fields = {"queue": self.queue, "message_id": self.message_id, "receive_count": self.receive_count}
        span = {} if self.processing is None else span_ids(self.processing.span)
        return fields | carried.log_fields() | span


class Lease:
    """Exclusive use of a message until its visibility timeout ends. Work under an expired lease is cancelled.

    ending: the reason to report then.
    """

    def __init__(self, message: Message, expires_at: float, ending: str = _ENDED) -> None:
        self.message = message
        self._expires_at = expires_at
        self._ending = ending
        self._limit: asyncio.Timeout | None = None

    @property
    def expires_at(self) -> float:
        """The time at which the message becomes visible to others, by the event loop's clock."""
        return self._expires_at

    def renew(self, expires_at: float) -> None:
        """Set a new expiry time; a time in the past ends the lease."""
        self._expires_at = expires_at
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(expires_at)

    def revoke(self) -> None:
        """End the lease and cancel the work under it."""
        self.renew(float("-inf"))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Cancel the block when the lease ends; this raises ReceiptExpiredError."""
        if self._expires_at <= asyncio.get_running_loop().time():
            raise ReceiptExpiredError("the lease expired before work began")
        try:
            async with asyncio.timeout_at(self._expires_at) as self._limit:
                yield
        except TimeoutError as exc:
            if self._limit is not None and self._limit.expired():
                raise ReceiptExpiredError(self._ending) from exc
            raise
        finally:
            self._limit = None

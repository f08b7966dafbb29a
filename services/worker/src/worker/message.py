"""A message as it was received, and how long it is ours. What it says is for the handlers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from worker.failures import ReceiptExpiredError

# From the receive on, whatever is extended: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
MAX_VISIBILITY_S: Final = 12 * 60 * 60


@dataclass(frozen=True)
class Message:
    """One receive of a message. received_at is by the event loop's clock, which a stopped process does not stop."""

    queue: str
    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    received_at: float

    @classmethod
    def of(cls, queue: str, raw: Mapping[str, Any], received_at: float) -> Self:
        """Read a member of ReceiveMessage's answer; ApproximateReceiveCount must have been asked for."""
        return cls(
            queue=queue,
            message_id=raw["MessageId"],
            receipt_handle=raw["ReceiptHandle"],
            body=raw["Body"],
            receive_count=int(raw["Attributes"]["ApproximateReceiveCount"]),
            received_at=received_at,
        )

    def extension_s(self, wished_s: int, now: float) -> int:
        """How much longer SQS lets us hold it: wished_s, or what is left of twelve hours."""
        return max(0, min(wished_s, int(self.received_at + MAX_VISIBILITY_S - now) - 1))

    @property
    def log_fields(self) -> dict[str, object]:
        """What every log line about it carries."""
        return {"queue": self.queue, "message_id": self.message_id, "receive_count": self.receive_count}


class Held:
    """A message in our hands until its visibility timeout runs out. A handler at work on it ends with the hold."""

    def __init__(self, message: Message, until: float) -> None:
        self.message = message
        self._until = until
        self._limit: asyncio.Timeout | None = None

    @property
    def until(self) -> float:
        """When the message becomes visible to others, by the event loop's clock."""
        return self._until

    def hold_until(self, until: float) -> None:
        """Take note that the message stays ours until then; a time gone by means that it is lost."""
        self._until = until
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(until)

    def lose(self) -> None:
        """Take note that the message is no longer ours; cancel what works on it."""
        self.hold_until(float("-inf"))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Cancel the block once the message is no longer ours; that raises ReceiptExpiredError."""
        if self._until <= asyncio.get_running_loop().time():
            raise ReceiptExpiredError("it waited longer than it was ours")
        try:
            async with asyncio.timeout_at(self._until) as self._limit:
                yield
        except TimeoutError as exc:
            if self._limit is not None and self._limit.expired():
                raise ReceiptExpiredError("its visibility timeout ran out, or its receipt was refused") from exc
            raise
        finally:
            self._limit = None

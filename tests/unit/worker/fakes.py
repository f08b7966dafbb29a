"""What stands in for AWS in the worker's tests: an orders table, a bus, and a small SQS that keeps its promises."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import EndpointConnectionError
from orderboard_contracts.events import OutcomeEvent
from orderboard_contracts.record import OrderRecord
from worker.failures import RowMovedError, UnavailableError

_WAIT_SCALE = 0.1  # a second of long polling takes this long here: a drain waits for it in every test


@dataclass
class MemoryOrders:
    """Orders in memory; keeps every row that was ever written, in order. `down` fails everything."""

    rows: dict[str, OrderRecord] = field(default_factory=dict)
    written: list[OrderRecord] = field(default_factory=list)
    down: bool = False
    calls: int = 0

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; say whether it was written."""
        self._answer()
        if record.order_id in self.rows:
            return False
        self._write(record)
        return True

    async def get(self, order_id: str) -> OrderRecord:
        """The order's row as it is now; raises RowMovedError when it has none."""
        self._answer()
        try:
            return self.rows[order_id]
        except KeyError:
            raise RowMovedError(order_id) from None

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raises RowMovedError when there is none (any more)."""
        self._answer()
        existing = self.rows.get(record.order_id)
        if existing is None or existing.status != "cancellation_pending":
            raise RowMovedError(record.order_id)
        self._write(record)

    def _write(self, record: OrderRecord) -> None:
        self.rows[record.order_id] = record
        self.written.append(record)

    def _answer(self) -> None:
        self.calls += 1
        if self.down:
            raise UnavailableError("the table is down")


@dataclass
class MemoryBus:
    """Remembers what it was told. `down` fails everything."""

    told: list[OutcomeEvent] = field(default_factory=list)
    down: bool = False

    async def emit(self, event: OutcomeEvent) -> None:
        """Accept event."""
        if self.down:
            raise UnavailableError("the bus is down")
        self.told.append(event)


@dataclass
class _Stored:
    message_id: str
    body: str
    visible_at: float = 0.0
    receive_count: int = 0
    receipt_handle: str = ""


class FakeSqs:
    """One queue with visibility timeouts, receipts that expire, and a dead-letter queue, by the event loop's clock."""

    def __init__(self, *, max_receive_count: int = 5) -> None:
        self.dead: list[str] = []
        self.down = False
        self.receives = 0
        self.changes: list[tuple[str, int]] = []
        self.on_receive: Callable[[], None] = lambda: None
        self._max_receive_count = max_receive_count
        self._stored: list[_Stored] = []

    def send(self, *bodies: str) -> None:
        """Put messages on the queue."""
        self._stored.extend(_Stored(str(uuid.uuid4()), body) for body in bodies)

    @property
    def bodies(self) -> list[str]:
        """What is on the queue, visible or not."""
        return [stored.body for stored in self._stored]

    @property
    def visible(self) -> int:
        """How many messages could be received now."""
        return sum(stored.visible_at <= _now() for stored in self._stored)

    def receive_counts(self) -> list[int]:
        """How often each message on the queue was received."""
        return [stored.receive_count for stored in self._stored]

    def expire_receipts(self) -> None:
        """Let every message in flight be visible again, as if its timeout had run out; receipts no longer work."""
        for stored in self._stored:
            stored.visible_at, stored.receipt_handle = 0.0, ""

    async def receive_message(self, **request: Any) -> dict[str, Any]:
        """Long-poll as SQS does."""
        self._answer("ReceiveMessage")
        self.receives += 1
        deadline = _now() + request["WaitTimeSeconds"] * _WAIT_SCALE
        while not (messages := self._take(request)) and _now() < deadline:  # noqa: ASYNC110 - time makes them visible
            await asyncio.sleep(0.005)
        self.on_receive()
        return {"Messages": messages} if messages else {}

    def _take(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        for stored in [stored for stored in self._stored if stored.visible_at <= _now()]:
            if stored.receive_count >= self._max_receive_count:
                self._stored.remove(stored)
                self.dead.append(stored.body)
        taken = [stored for stored in self._stored if stored.visible_at <= _now()][: request["MaxNumberOfMessages"]]
        for stored in taken:
            stored.visible_at = _now() + request["VisibilityTimeout"]
            stored.receive_count += 1
            stored.receipt_handle = str(uuid.uuid4())
        return [
            {
                "MessageId": stored.message_id,
                "ReceiptHandle": stored.receipt_handle,
                "Body": stored.body,
                "Attributes": {"ApproximateReceiveCount": str(stored.receive_count)},
            }
            for stored in taken
        ]

    async def delete_message_batch(self, *, QueueUrl: str, Entries: Any) -> dict[str, Any]:  # noqa: N803
        """Delete by receipts that are good."""
        return self._each("DeleteMessageBatch", Entries, lambda stored, _: self._stored.remove(stored))

    async def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Any) -> dict[str, Any]:  # noqa: N803
        """Change visibility by receipts that are good."""

        def change(stored: _Stored, entry: dict[str, Any]) -> None:
            stored.visible_at = _now() + entry["VisibilityTimeout"]
            self.changes.append((stored.body, entry["VisibilityTimeout"]))

        return self._each("ChangeMessageVisibilityBatch", Entries, change)

    def _each(
        self, operation: str, entries: list[dict[str, Any]], act: Callable[[_Stored, dict[str, Any]], None]
    ) -> dict[str, Any]:
        self._answer(operation)
        assert 1 <= len(entries) <= 10
        failed = []
        for entry in entries:
            owner = [s for s in self._stored if s.receipt_handle == entry["ReceiptHandle"] and s.visible_at > _now()]
            if owner:
                act(owner[0], entry)
            else:
                failed.append(
                    {"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "Message": "expired", "SenderFault": True}
                )
        return {"Failed": failed}

    def _answer(self, operation: str) -> None:
        if self.down:
            raise EndpointConnectionError(endpoint_url=f"http://sqs.test/{operation}")


def _now() -> float:
    return asyncio.get_running_loop().time()

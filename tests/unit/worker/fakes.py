"""Stand-ins for AWS in the worker's tests: an orders table and a bus in memory, and queues of localbus."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import EndpointConnectionError
from localbus.clock import ManualClock
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.sqs import message_actions, queue_actions
from localbus.sqs.state import Sqs
from localbus.storage.storage import Storage
from orderboard_contracts.events import OutcomeEvent
from orderboard_contracts.record import OrderRecord
from worker.failures import RowChangedError, UnavailableError

Action = Callable[..., dict[str, Any] | Awaitable[dict[str, Any]]]


@dataclass
class MemoryOrders:
    """Orders in memory. `written` keeps every row ever written, in order; `down` fails every call."""

    rows: dict[str, OrderRecord] = field(default_factory=dict)
    written: list[OrderRecord] = field(default_factory=list)
    down: bool = False
    calls: int = 0

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; return whether it was written."""
        self._respond()
        if record.order_id in self.rows:
            return False
        self._write(record)
        return True

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        """Write records; return for each whether it was written for sure."""
        return [await self._inserted(record) for record in records]

    async def _inserted(self, record: OrderRecord) -> bool:
        try:
            return await self.insert(record)
        except UnavailableError:
            return False

    async def get(self, order_id: str) -> OrderRecord:
        """Return the order's current row; raise RowChangedError if it has none."""
        self._respond()
        try:
            return self.rows[order_id]
        except KeyError:
            raise RowChangedError(order_id) from None

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raise RowChangedError if there is none."""
        self._respond()
        existing = self.rows.get(record.order_id)
        if existing is None or existing.status != "cancellation_pending":
            raise RowChangedError(record.order_id)
        self._write(record)

    def _write(self, record: OrderRecord) -> None:
        self.rows[record.order_id] = record
        self.written.append(record)

    def _respond(self) -> None:
        self.calls += 1
        if self.down:
            raise UnavailableError("the table is down")


@dataclass
class MemoryBus:
    """Events in memory. `down` fails every call."""

    emitted: list[OutcomeEvent] = field(default_factory=list)
    down: bool = False

    async def emit(self, event: OutcomeEvent) -> None:
        """Accept event."""
        if self.down:
            raise UnavailableError("the bus is down")
        self.emitted.append(event)

    async def emit_many(self, events: Sequence[OutcomeEvent]) -> list[bool]:
        """Accept events; return for each whether it was accepted for sure."""
        for event in () if self.down else events:
            await self.emit(event)
        return [not self.down] * len(events)


class SqsQueue:
    """A queue of localbus with a dead-letter queue, as an SQS client. Time passes only when `clock` is advanced.

    `down` fails every call; `reject_receipts` rejects every delete and visibility change as the sender's fault.
    """

    def __init__(self, *, max_receive_count: int = 5) -> None:
        self.clock = ManualClock()
        self.down = self.reject_receipts = False
        self.receives = self.visibility_changes = 0
        self.on_receive: Callable[[], None] = lambda: None
        self._sqs = Sqs(self.clock, Journal(), Storage())
        redrive = {"deadLetterTargetArn": self._create("dlq"), "maxReceiveCount": max_receive_count}
        self._create("queue", RedrivePolicy=json.dumps(redrive))
        self._dead, self._queue = (record.queue for record in self._sqs.queues)
        self._url = "http://localhost/000000000000/queue"

    def _create(self, name: str, **attributes: str) -> str:
        queue_actions.create_queue(self._sqs, {"QueueName": name, "Attributes": attributes}, Caller())
        return f"arn:aws:sqs:us-east-1:000000000000:{name}"

    def send(self, *bodies: str) -> None:
        """Send messages."""
        for body in bodies:
            message_actions.send_message(self._sqs, {"QueueUrl": self._url, "MessageBody": body}, Caller())

    @property
    def bodies(self) -> list[str]:
        """Bodies of the messages on the queue, visible or not."""
        return [message.body for message in self._queue.peek()]

    @property
    def dead(self) -> list[str]:
        """Bodies of the messages on the dead-letter queue."""
        return [message.body for message in self._dead.peek()]

    @property
    def visible(self) -> int:
        """The number of messages that could be received now."""
        return self._queue.counts().visible

    async def receive_message(self, **request: Any) -> dict[str, Any]:
        """Call ReceiveMessage."""
        self.receives += 1
        response = await self._call(message_actions.receive_message, request)
        self.on_receive()
        return response

    async def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        """Call DeleteMessageBatch."""
        return await self._call(message_actions.delete_message_batch, request)

    async def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        """Call ChangeMessageVisibilityBatch."""
        response = await self._call(message_actions.change_message_visibility_batch, request)
        self.visibility_changes += len(request["Entries"])
        return response

    async def _call(
        self, action: Callable[..., dict[str, Any] | Awaitable[dict[str, Any]]], request: Any
    ) -> dict[str, Any]:
        if self.down:
            raise EndpointConnectionError(endpoint_url="http://sqs.test")
        if self.reject_receipts and "Entries" in request:
            invalid = {"Code": "ReceiptHandleIsInvalid", "SenderFault": True}
            return {"Failed": [{"Id": entry["Id"], **invalid} for entry in request["Entries"]]}
        response = action(self._sqs, {**request, "QueueUrl": self._url}, Caller())
        return await response if isinstance(response, Awaitable) else response


async def turns(count: int = 5) -> None:
    """Let the event loop run everything that is ready."""
    for _ in range(count):
        await asyncio.sleep(0)


def queue_of(*bodies: str, max_receive_count: int = 5) -> SqsQueue:
    """A queue with these messages."""
    queue = SqsQueue(max_receive_count=max_receive_count)
    queue.send(*bodies)
    return queue

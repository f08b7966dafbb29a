"""The calls that an order needs, without any logic: the services' client library and batch sizes.

Orders are real ones of about 400 bytes. They are made beforehand, so that no call is timed together with that.
"""

import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from orderboard_contracts.events import CompletedData, OrderCompleted, OrderPlaced, PlacedData
from orderboard_contracts.identity import event_id_for, new_order_id
from orderboard_contracts.menu import CURRENCY
from orderboard_contracts.order import OrderLine, OrderRequest, digest, priced, total_cents
from orderboard_contracts.routing import bus_entry, message_attributes

from orderboard.system.target import Target

BATCH: Final = 10  # SNS, SQS and EventBridge
WRITE_BATCH: Final = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
_PLACED: Final = "orderboard.order.placed.v1"
_COMPLETED: Final = "orderboard.order.completed.v1"
_TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_REQUEST: Final = OrderRequest(
    customer_id="ada",
    lines=(OrderLine(sku="flat-white", quantity=2), OrderLine(sku="croissant", quantity=1)),
    note="oat milk, extra hot, and the receipt by e-mail please",
)


@dataclass(frozen=True)
class Order:
    """One order in the forms that the backend accepts: message, bus entries and PartiQL statement."""

    order_id: str
    body: str
    attributes: dict[str, dict[str, str]]
    placed: dict[str, str]
    completed: dict[str, str]
    statement: dict[str, Any]


def make_orders(count: int, target: Target) -> list[Order]:
    """Make new orders of two lines and a note: copies of one, under other ids, which is faster than building each."""
    order = _order(target)
    document = json.dumps(asdict(order))
    return [Order(**json.loads(document.replace(order.order_id, new_order_id()))) for _ in range(count)]


def _order(target: Target) -> Order:
    order_id, lines, order_digest, now = new_order_id(), priced(_REQUEST), digest(_REQUEST), datetime.now(UTC)
    envelope: dict[str, Any] = {"subject": order_id, "time": now, "traceparent": _TRACE, "correlationid": order_id}
    data: dict[str, Any] = {
        "order_id": order_id,
        "customer_id": _REQUEST.customer_id,
        "priority": _REQUEST.priority,
        "total_cents": total_cents(lines),
        "currency": CURRENCY,
    }
    placed = OrderPlaced(
        id=event_id_for(_PLACED, order_id, order_digest),
        source="orderboard.order-api",
        data=PlacedData(**data, lines=lines, note=_REQUEST.note, digest=order_digest),
        **envelope,
    )
    completed = OrderCompleted(
        id=event_id_for(_COMPLETED, order_id, order_digest),
        source="orderboard.worker",
        data=CompletedData(**data),
        **envelope,
    )
    row = {"order_id": order_id, "status": "completed", "customer_id": "ada", "placed_at": now.isoformat()}
    row |= {"note": str(_REQUEST.note), "digest": order_digest, "traceparent": _TRACE, "correlationid": order_id}
    members = ", ".join(f"'{name}': ?" for name in row)
    return Order(
        order_id=order_id,
        body=placed.to_json(),
        attributes={
            name: {"DataType": "String", "StringValue": value} for name, value in message_attributes(placed).items()
        },
        placed=bus_entry(placed, target.outputs.bus_name),
        completed=bus_entry(completed, target.outputs.bus_name),
        statement={
            "Statement": f'INSERT INTO "{target.outputs.orders_table}" VALUE {{{members}}}',
            "Parameters": [{"S": value} for value in row.values()],
        },
    )


class Operations:
    """The operations. Each handles one batch and returns the number of orders."""

    def __init__(self, target: Target, *, sns: Any, events: Any, sqs: Any, dynamodb: Any) -> None:
        self._topic_arn = target.outputs.orders_topic_arn
        self._queue_url = target.queue_url(target.outputs.work_queue)
        self._sns, self._events, self._sqs, self._dynamodb = sns, events, sqs, dynamodb

    async def publish(self, orders: Sequence[Order]) -> int:
        """SNS PublishBatch."""
        entries = [
            {"Id": str(number), "Message": order.body, "MessageAttributes": order.attributes}
            for number, order in enumerate(orders)
        ]
        await self._sns.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries)
        return len(orders)

    async def send(self, orders: Sequence[Order]) -> int:
        """SQS SendMessageBatch to the work queue: the quick way to a backlog."""
        entries = [
            {"Id": str(number), "MessageBody": order.body, "MessageAttributes": order.attributes}
            for number, order in enumerate(orders)
        ]
        await self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return len(orders)

    async def put_events(self, entries: Sequence[dict[str, str]]) -> int:
        """EventBridge PutEvents."""
        await self._events.put_events(Entries=list(entries))
        return len(entries)

    async def write(self, orders: Sequence[Order]) -> int:
        """DynamoDB BatchExecuteStatement. An INSERT is conditional on the row being new."""
        await self._dynamodb.batch_execute_statement(Statements=[order.statement for order in orders])
        return len(orders)

    async def receive(self, *, wait_s: int = 0) -> list[str]:
        """SQS ReceiveMessage of 10; return the receipt handles."""
        answer = await self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=120,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [message["ReceiptHandle"] for message in answer.get("Messages", [])]

    async def delete(self, receipt_handles: Sequence[str]) -> int:
        """SQS DeleteMessageBatch."""
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(receipt_handles)]
        await self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return len(receipt_handles)

    async def receive_delete(self) -> int:
        """ReceiveMessage, then DeleteMessageBatch of the same messages."""
        handles = await self.receive()
        return await self.delete(handles) if handles else 0

    async def make(self, orders: Iterator[Order]) -> int:
        """All of a worker's calls: receive, write, put the outcome, delete. The rows are those of prepared orders."""
        handles = await self.receive()
        if not handles:
            return 0
        rows = list(itertools.islice(orders, len(handles)))
        await self.write(rows)
        await self.put_events([order.completed for order in rows])
        return await self.delete(handles)


@asynccontextmanager
async def operations(target: Target) -> AsyncIterator[Operations]:
    """Open the operations on this target, with clients like those of the services."""
    endpoint, environment = target.endpoint, target.endpoint.environment()
    session: Any = get_session()  # its overloads need literal service names
    options: dict[str, Any] = {
        "region_name": endpoint.region,
        "config": AioConfig(
            max_pool_connections=32,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 2},
            parameter_validation=False,
            user_agent="orderboard",
        ),
    }
    if endpoint.local:
        options["aws_access_key_id"] = environment.get("AWS_ACCESS_KEY_ID", "test")
        options["aws_secret_access_key"] = environment.get("AWS_SECRET_ACCESS_KEY", "test")
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                session.create_client(name, endpoint_url=endpoint.endpoint_url, **options)
            )
            for name in ("sns", "events", "sqs", "dynamodb")
        }
        yield Operations(target, **clients)


def batches(orders: Sequence[Order], size: int) -> Iterator[Sequence[Order]]:
    """Cut into batches."""
    return (orders[start : start + size] for start in range(0, len(orders), size))

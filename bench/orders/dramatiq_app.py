"""A worker on dramatiq and dramatiq_sqs: each message is parsed, its row inserted, its outcome published, and deleted.

Runs in the environment of tests/clients/tools/python.lock, with `bench` and the contracts on its path.
"""

import json
import os

import boto3
import dramatiq  # type: ignore[import-not-found]
from dramatiq_sqs import SQSBroker  # type: ignore[import-not-found]
from orderboard_contracts.events import CompletedData, OrderCompleted, OrderPlaced, parse_event
from orderboard_contracts.identity import event_id_for
from orderboard_contracts.routing import bus_entry
from orders.plain_row import plain_row

_bus_name = os.environ["ORDERBOARD_BUS_NAME"]
_table = os.environ["ORDERBOARD_ORDERS_TABLE"]
# Clients are safe to share between threads: https://docs.aws.amazon.com/boto3/latest/guide/clients.html
_events, _dynamodb = boto3.client("events"), boto3.client("dynamodb")
dramatiq.set_broker(SQSBroker(namespace=os.environ["ORDERBOARD_WORK_QUEUE"]))


@dramatiq.actor(queue_name="peer")  # type: ignore[misc, untyped-decorator, unused-ignore]
def make(body: str) -> None:
    """Make one order."""
    placed = parse_event(body)
    assert isinstance(placed, OrderPlaced)  # noqa: S101 - the benchmark sends nothing else
    order, row = placed.data, plain_row(json.loads(body))
    _dynamodb.put_item(TableName=_table, Item=row, ConditionExpression="attribute_not_exists(order_id)")
    completed = OrderCompleted(
        id=event_id_for("orderboard.order.completed.v1", order.order_id, order.digest),
        source="orderboard.worker",
        subject=order.order_id,
        time=placed.time,
        traceparent=placed.traceparent,
        correlationid=placed.correlationid,
        data=CompletedData(
            order_id=order.order_id,
            customer_id=order.customer_id,
            priority=order.priority,
            total_cents=order.total_cents,
            currency=order.currency,
        ),
    )
    _events.put_events(Entries=[bus_entry(completed, _bus_name)])  # type: ignore[list-item]

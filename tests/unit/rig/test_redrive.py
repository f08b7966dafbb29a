"""Redrive on localbus: destinations, both ways of moving, and no loss on the way."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from orderboard.errors import UsageError
from orderboard.orders.queues import depth, peek
from orderboard.orders.redrive import plan, redrive
from orderboard_contracts.alert import Alert
from orderboard_contracts.events import CancellationRequested, CancellationRequestedData
from orderboard_contracts.identity import new_order_id
from orderboard_stack.outputs import StackOutputs

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

OUTPUTS = StackOutputs(**{each.name: f"shop-{each.name}" for each in fields(StackOutputs)})
ALERT = Alert(
    id="alert-1",
    kind="large_order",
    order_id=new_order_id(),
    severity="info",
    audience="barista",
    text="A large order",
    occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
).to_json()
DLQ, WORK, UNDELIVERED = OUTPUTS.work_dlq, OUTPUTS.work_queue, OUTPUTS.undelivered_queue


def _cancellation() -> str:
    order_id = new_order_id()
    return CancellationRequested(
        id="event-1",
        source="orderboard.order-api",
        subject=order_id,
        time="2026-01-01T00:00:00Z",
        data=CancellationRequestedData(order_id=order_id),
    ).to_json()


@pytest.mark.parametrize("name", ["work", "work-dlq", DLQ, WORK])
def test_a_queue_has_several_names(name: str) -> None:
    """The short name, the DLQ's short name and both full names mean the same."""
    assert (plan(name, OUTPUTS).source, plan(name, OUTPUTS).destination) == (DLQ, WORK)


def test_an_unknown_queue_is_wrong_use() -> None:
    """A queue that there is not is refused with the names that there are."""
    with pytest.raises(UsageError, match="work, express, alerts, inbox, undelivered"):
        plan("wrok", OUTPUTS)


@pytest.fixture
def sqs(localbus: Localbus) -> "SQSClient":
    """An SQS with every queue of the stack; the work queue has its dead-letter queue."""
    client: SQSClient = localbus.client("sqs")
    for name in OUTPUTS.queues:
        client.create_queue(QueueName=name)
    redrive_policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{DLQ}", "maxReceiveCount": 3}
    attributes: Any = {"RedrivePolicy": json.dumps(redrive_policy)}
    client.set_queue_attributes(QueueUrl=_url(client, WORK), Attributes=attributes)
    return client


def _url(sqs: "SQSClient", queue: str) -> str:
    return sqs.get_queue_url(QueueName=queue)["QueueUrl"]


def _send(sqs: "SQSClient", queue: str, body: str, **attributes: str) -> None:
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sqs.send_message(QueueUrl=_url(sqs, queue), MessageBody=body, MessageAttributes=typed)  # type: ignore[arg-type]


def _bodies(sqs: "SQSClient", queue: str) -> list[str]:
    """The messages of a queue, none of which is in flight."""
    assert depth(sqs, _url(sqs, queue)).in_flight == 0
    return [message.body for message in peek(sqs, _url(sqs, queue))]


def test_without_move_tasks_every_message_is_sent_before_it_is_deleted(sqs: "SQSClient") -> None:
    """With its attributes, on a backend that has no move tasks."""
    for number in range(23):
        _send(sqs, DLQ, f"body {number}", priority="normal")
    calls: list[str] = []
    progress: list[tuple[int, int]] = []

    def record(model: Any, **_: Any) -> None:
        calls.append(model.name)
        if model.name == "StartMessageMoveTask":
            raise ClientError({"Error": {"Code": "InvalidAction", "Message": "no"}}, model.name)

    sqs.meta.events.register("before-call.sqs.*", record)
    redriven = redrive(sqs, plan("work", OUTPUTS), OUTPUTS, lambda done, total: progress.append((done, total)))

    assert (redriven.moved, redriven.left, redriven.way) == (23, 0, "receive, send, delete")
    moves = [name for name in calls if name in ("SendMessage", "DeleteMessage")]
    assert moves == ["SendMessage", "DeleteMessage"] * 23
    assert progress[-1] == (23, 23)
    assert _bodies(sqs, DLQ) == []
    moved = peek(sqs, _url(sqs, WORK))
    assert [message.body for message in moved] == [f"body {number}" for number in range(23)]
    assert moved[0].attributes == {"priority": "normal"}


def test_with_move_tasks_sqs_moves_the_messages(sqs: "SQSClient") -> None:
    """And the answer says so."""
    _send(sqs, DLQ, "body")

    redriven = redrive(sqs, plan("work", OUTPUTS), OUTPUTS, lambda done, total: None)

    assert (redriven.moved, redriven.way) == (1, "message move task")
    assert str(redriven).startswith(f"Moved 1 message from {OUTPUTS.queue_pairs['work'][1]} to {OUTPUTS.work_queue} (")
    assert _bodies(sqs, WORK) == ["body"]


def test_undelivered_messages_go_to_their_destinations(sqs: "SQSClient") -> None:
    """By EventBridge's target, a command's priority or an alert's form; a message without any of them stays visible."""
    _send(sqs, UNDELIVERED, "an event", TARGET_ARN=f"arn:aws:sqs:us-east-1:000000000000:{OUTPUTS.alerts_queue}")
    _send(sqs, UNDELIVERED, _cancellation())
    _send(sqs, UNDELIVERED, ALERT)
    _send(sqs, UNDELIVERED, "unknown")
    _send(sqs, UNDELIVERED, "another system's", TARGET_ARN="arn:aws:sqs:us-east-1:1:other")

    redriven = redrive(sqs, plan("undelivered", OUTPUTS), OUTPUTS, lambda done, total: None)

    assert (redriven.moved, redriven.left) == (3, 2)
    assert _bodies(sqs, OUTPUTS.alerts_queue) == ["an event"]
    assert len(_bodies(sqs, OUTPUTS.express_queue)) == 1
    assert _bodies(sqs, OUTPUTS.inbox_queue) == [ALERT]
    assert _bodies(sqs, UNDELIVERED) == ["unknown", "another system's"]


def test_peeking_takes_nothing(sqs: "SQSClient") -> None:
    """It returns every message once, and all of them are visible again afterwards."""
    for number in range(25):
        _send(sqs, DLQ, f"body {number}")

    seen = peek(sqs, _url(sqs, DLQ))

    assert len({message.message_id for message in seen}) == 25
    assert len(_bodies(sqs, DLQ)) == 25

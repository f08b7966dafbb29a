"""Redrive, on an SQS in memory: what moves where, by which way, and that nothing is lost on the way."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from orderboard.errors import UsageError
from orderboard.orders.queues import peek
from orderboard.orders.redrive import plan, redrive
from orderboard_contracts.alert import Alert
from orderboard_contracts.events import CancellationRequested, CancellationRequestedData
from orderboard_contracts.identity import new_order_id
from orderboard_stack.outputs import StackOutputs
from unit.rig.fake_sqs import FakeSqs

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
DLQ, WORK = OUTPUTS.work_dlq, OUTPUTS.work_queue


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


def test_by_hand_where_sqs_cannot_move_them_itself() -> None:
    """Without move tasks every message is sent first and deleted after, with its attributes."""
    sqs = FakeSqs(DLQ, WORK)
    for number in range(23):
        sqs.put(DLQ, f"body {number}", {"priority": "normal"})
    told: list[tuple[int, int]] = []

    redriven = redrive(sqs.client(), plan("work", OUTPUTS), OUTPUTS, lambda done, total: told.append((done, total)))

    assert (redriven.moved, redriven.left, redriven.way) == (23, 0, "receive, send, delete")
    assert sqs.bodies(DLQ) == []
    assert sqs.bodies(WORK) == [f"body {number}" for number in range(23)]
    assert sqs.queues[WORK][0]["MessageAttributes"]["priority"]["StringValue"] == "normal"
    assert not sqs.deleted_before_sent
    assert told[-1] == (23, 23)


def test_by_task_where_sqs_can() -> None:
    """With move tasks SQS moves them itself, and the answer says so."""
    sqs = FakeSqs(DLQ, WORK, tasks=True)
    sqs.put(DLQ, "body")

    redriven = redrive(sqs.client(), plan("work", OUTPUTS), OUTPUTS, lambda done, total: None)

    assert (redriven.moved, redriven.way) == (1, "message move task")
    assert sqs.bodies(WORK) == ["body"]


def test_undelivered_messages_go_where_they_were_meant_for() -> None:
    """EventBridge's target, a command's priority, an alert's form say where; what says nothing stays, to be seen."""
    sqs = FakeSqs(OUTPUTS.undelivered_queue, OUTPUTS.alerts_queue, OUTPUTS.express_queue, OUTPUTS.inbox_queue)
    target_arn = f"arn:aws:sqs:us-east-1:000000000000:{OUTPUTS.alerts_queue}"
    sqs.put(OUTPUTS.undelivered_queue, "an event", {"TARGET_ARN": target_arn})
    sqs.put(OUTPUTS.undelivered_queue, _cancellation())
    sqs.put(OUTPUTS.undelivered_queue, ALERT)
    sqs.put(OUTPUTS.undelivered_queue, "who knows")
    sqs.put(OUTPUTS.undelivered_queue, "a stranger's", {"TARGET_ARN": "arn:aws:sqs:us-east-1:1:other"})

    redriven = redrive(sqs.client(), plan("undelivered", OUTPUTS), OUTPUTS, lambda done, total: None)

    assert (redriven.moved, redriven.left) == (3, 2)
    assert sqs.bodies(OUTPUTS.alerts_queue) == ["an event"]
    assert len(sqs.bodies(OUTPUTS.express_queue)) == 1
    assert sqs.bodies(OUTPUTS.inbox_queue) == [ALERT]
    assert sqs.bodies(OUTPUTS.undelivered_queue) == ["who knows", "a stranger's"]
    assert sqs.hidden == set()


def test_peeking_takes_nothing() -> None:
    """Whoever looks into a queue sees everything once, and everything is there for the next one to receive."""
    sqs = FakeSqs(DLQ)
    for number in range(25):
        sqs.put(DLQ, f"body {number}")

    seen = peek(sqs.client(), DLQ)

    assert len({message.message_id for message in seen}) == 25
    assert sqs.hidden == set()
    assert len(peek(sqs.client(), DLQ)) == 25

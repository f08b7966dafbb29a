"""The deployed notifier: an event on the bus becomes an alert on the alerts topic."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from orderboard_contracts.alert import Alert, parse_alert
from orderboard_contracts.events import Event
from orderboard_contracts.routing import bus_entry
from support.stack import DeployedStack, sends_by
from support.waiting import eventually
from unit.notifier.events import cancellation_refused, completed, placed, rejected
from unit.notifier.fakes import bus_message

EVENTS: dict[str, Event] = {
    "large_order": placed(),
    "order_rejected": rejected(),
    "idempotency_conflict": rejected("idempotency_conflict"),
    "express_ready": completed("express"),
    "cancellation_refused": cancellation_refused(),
}


class AlertsStack:
    """A deployed stack, its bus, its alerts queue and its inbox."""

    def __init__(self, stack: DeployedStack) -> None:
        self.stack = stack
        self.inbox: list[Alert] = []

    async def open(self, visibility_timeout_s: int) -> None:
        """Wait until the Lambda has started once, then shorten the visibility timeout of its queue."""
        self.happens(completed(event_id="opening"))
        await eventually(lambda: self.read_inbox() and self.is_idle(), within_s=20)
        self.inbox.clear()
        self.stack.sqs.set_queue_attributes(
            QueueUrl=self.stack.queue_url(self.stack.outputs.alerts_queue),
            Attributes={"VisibilityTimeout": str(visibility_timeout_s)},
        )

    def happens(self, *events: Event) -> None:
        """Put events on the bus."""
        entries = [bus_entry(event, self.stack.outputs.bus_name) for event in events]
        answer = self.stack.events.put_events(Entries=entries)  # type: ignore[arg-type]
        assert answer["FailedEntryCount"] == 0

    def deliver(self, *bodies: str) -> None:
        """Put messages on the alerts queue, as a rule would."""
        url = self.stack.queue_url(self.stack.outputs.alerts_queue)
        entries = [{"Id": f"e{number}", "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self.stack.sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
        assert not answer.get("Failed")

    def read_inbox(self) -> list[Alert]:
        """Return all alerts published so far."""
        self.inbox += self.alerts_of(self.stack.outputs.inbox_queue)
        return self.inbox

    def alerts_of(self, queue: str) -> list[Alert]:
        """Receive the alerts that wait in a queue, without alarms. SNS sends no attributes with a MessageStructure.

        https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
        """
        messages = self.stack.receive(queue)
        assert all("MessageAttributes" not in message for message in messages)
        bodies = [message["Body"] for message in messages if "AlarmName" not in json.loads(message["Body"])]
        return [parse_alert(body) for body in bodies]

    def subscribe(self, queue: str, filter_policy: Mapping[str, list[str]]) -> None:
        """Create a queue and subscribe it to the alerts whose attributes match."""
        url = self.stack.sqs.create_queue(QueueName=queue, Attributes=sends_by("sns"))["QueueUrl"]
        attributes = self.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        self.stack.sns.subscribe(
            TopicArn=self.stack.outputs.alerts_topic_arn,
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            Attributes={"FilterPolicy": json.dumps(filter_policy), "RawMessageDelivery": "true"},
        )

    def is_idle(self) -> bool:
        """Return whether no alert waits or is being handled."""
        attributes = self.stack.sqs.get_queue_attributes(
            QueueUrl=self.stack.queue_url(self.stack.outputs.alerts_queue), AttributeNames=["All"]
        )["Attributes"]
        return attributes["ApproximateNumberOfMessages"] == attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


@pytest.fixture
def system(deploy_stack: Callable[[Mapping[str, str]], DeployedStack]) -> AlertsStack:
    """A fresh stack."""
    return AlertsStack(deploy_stack({}))


async def test_every_kind_reaches_the_inbox(system: AlertsStack) -> None:
    """Each of these events passes bus, queue, Lambda, topic and inbox, and filter policies see its attributes."""
    chosen = f"{system.stack.name}-chosen"
    system.subscribe(chosen, {"severity": ["warning"], "audience": ["customer"], "kind": ["order_rejected"]})
    for kind, event in EVENTS.items():
        system.happens(event.model_copy(update={"id": f"event-{kind}"}))

    await eventually(lambda: len(system.read_inbox()) == len(EVENTS), within_s=20)

    assert {alert.kind for alert in system.inbox} == EVENTS.keys()
    assert {(alert.order_id, alert.correlationid) for alert in system.inbox} == {(placed().subject, "corr-1")}
    assert [alert.kind for alert in system.alerts_of(chosen)] == ["order_rejected"]


async def test_event_delivered_again_is_published_once(system: AlertsStack) -> None:
    """However often the bus and the queue deliver one event, even at the same time, the inbox has one alert of it."""
    await system.open(visibility_timeout_s=2)
    event, last = completed(event_id="twice"), completed(event_id="last")
    for _ in range(3):
        system.happens(event)
        system.deliver(bus_message(event), bus_message(event))
    system.happens(last)

    await eventually(system.is_idle, within_s=20)
    await eventually(lambda: len(system.read_inbox()) >= 2)

    assert len({alert.id for alert in system.read_inbox()}) == 2
    assert len(system.inbox) == 2
    assert system.stack.waiting(system.stack.outputs.alerts_dlq) == 0


async def test_poison_rests_in_the_dead_letter_queue(system: AlertsStack) -> None:
    """An invalid message ends in the dead-letter queue unchanged, and its neighbours are published.

    It takes seconds: each redelivery waits for the visibility timeout.
    """
    await system.open(visibility_timeout_s=2)
    poison = [json.dumps({"detail": {"type": "orderboard.order.placed.v9"}}), "no JSON"]
    good = [bus_message(completed(event_id=f"good-{number}")) for number in range(2)]

    system.deliver(good[0], *poison, good[1])

    await eventually(lambda: len(system.read_inbox()) == 2, within_s=20)
    resting: list[Any] = []

    def dead_letters() -> bool:
        resting.extend(system.stack.receive(system.stack.outputs.alerts_dlq))
        return len(resting) == len(poison)

    await eventually(dead_letters, within_s=20)
    assert sorted(message["Body"] for message in resting) == sorted(poison)
    assert len(system.read_inbox()) == 2

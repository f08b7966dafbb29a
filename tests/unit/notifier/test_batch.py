"""Messages of a batch: each is published once, ignored, or returned to SQS."""

import io
import json
import uuid
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger, Metrics
from notifier.alert_publisher import AlertPublisher
from notifier.batch import Notifier
from orderboard_contracts.tracing import Tracing
from unit.notifier.events import cancelled, completed, placed, rejected
from unit.notifier.fakes import TOPIC_ARN, FakeContext, FakeTable, FakeTopic, bus_message, failed_ids, sqs_batch

POISON = {
    "no JSON": "{",
    "no object": "[]",
    "no EventBridge event": '{"hello": "world"}',
    "no event of ours": '{"detail": {"type": "aws.ec2"}}',
    "an unknown version": '{"detail": {"type": "orderboard.order.placed.v9"}}',
    "an event without its envelope": completed().to_json(),
    "nesting without end": "[" * 100_000,
    "a nested detail without end": '{"detail": {"a": ' + "[" * 100_000,
    "nothing": "",
}


class Harness:
    """A notifier between a fake topic and a fake table."""

    def __init__(self) -> None:
        self.topic, self.table, self.log = FakeTopic(), FakeTable(), io.StringIO()
        self.notifier = self.another()

    def trace(self, tracing: Tracing) -> None:
        """Let it make spans."""
        self.notifier = self.another(tracing)

    def another(self, tracing: Tracing | None = None) -> Notifier:
        """Create another execution environment of the same function."""
        publisher = AlertPublisher(
            sns=cast("Any", self.topic),
            dynamodb=cast("Any", self.table),
            topic_arn=TOPIC_ARN,
            idempotency_table="cafe-notifier-idempotency",
            tracing=tracing,
        )
        logger = Logger(service=f"notifier-{uuid.uuid4()}", stream=self.log)  # loggers are kept by their names
        return Notifier(publisher, logger, Metrics(service="notifier", namespace="OrderBoard"), tracing)

    def receive(self, *bodies: str, context: FakeContext | None = None, notifier: Notifier | None = None) -> list[str]:
        """Invoke the notifier with messages m0, m1, ...; return the ids that failed."""
        handle = (notifier or self.notifier).handle
        return failed_ids(handle(sqs_batch(bodies), cast("Any", context or FakeContext())))


@pytest.fixture
def harness() -> Harness:
    """A fresh notifier."""
    return Harness()


def test_alerts_of_a_batch_are_published(harness: Harness) -> None:
    """Every event of a batch is published in order, and none is returned."""
    failed = harness.receive(bus_message(completed(event_id="e1")), bus_message(completed(event_id="e2")))

    assert failed == []
    assert [alert.kind for alert in harness.topic.alerts] == ["express_ready", "express_ready"]
    assert len({alert.id for alert in harness.topic.alerts}) == 2


def test_event_without_alert_is_done(harness: Harness) -> None:
    """An event that causes no alert is acknowledged, publishes nothing and leaves no record."""
    failed = harness.receive(bus_message(cancelled()))

    assert failed == []
    assert harness.topic.published == []
    assert harness.table.items == {}


def test_event_delivered_twice_is_published_once(harness: Harness) -> None:
    """Neither a second delivery in a batch, nor a later one, nor one to another environment publishes again."""
    event = placed()

    assert harness.receive(bus_message(event), bus_message(event)) == []
    assert harness.receive(bus_message(event)) == []
    assert harness.receive(bus_message(event), notifier=harness.another()) == []

    assert len(harness.topic.published) == 1


@pytest.mark.parametrize("body", POISON.values(), ids=POISON.keys())
def test_poison_affects_no_other(harness: Harness, body: str) -> None:
    """A message without a valid event is returned, and its neighbours are published."""
    good = (bus_message(completed(event_id=event_id)) for event_id in ("e1", "e2"))

    failed = harness.receive(next(good), body, next(good))

    assert failed == ["m1"]
    assert len(harness.topic.published) == 2


def test_batch_of_poison_alone_is_reported_not_raised(harness: Harness) -> None:
    """A batch that fails as a whole does not count as an error of the function: each message is returned."""
    assert harness.receive("{", "[]") == ["m0", "m1"]


def test_publish_that_fails_is_tried_again(harness: Harness) -> None:
    """Without a response of SNS only that message is returned, and its redelivery is published."""
    first, second = bus_message(completed(event_id="e1")), bus_message(completed(event_id="e2"))
    harness.topic.failures_left = 1

    assert harness.receive(first, second) == ["m0"]
    assert len(harness.topic.published) == 1

    assert harness.receive(first) == []
    assert len(harness.topic.published) == 2


def test_crash_before_the_record_publishes_at_least_once(harness: Harness) -> None:
    """If the record cannot be completed, redeliveries fail until the invocation is over, then publish again."""
    event = bus_message(rejected())
    harness.table.update_failures_left = 1

    assert harness.receive(event) == ["m0"]
    assert harness.receive(event) == ["m0"], "the first invocation may still be running"
    harness.table.let_invocation_time_out()
    assert harness.receive(event) == []

    first, second = harness.topic.alerts
    assert first.id == second.id


def test_copy_waits_for_the_alert_in_progress(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another invocation publishes the same event, its copy waits for the record and is not returned to SQS."""
    event = bus_message(rejected())
    harness.table.update_failures_left = 1
    harness.receive(event)
    monkeypatch.setattr("time.sleep", lambda _wait_s: harness.table.complete("sns-1"))

    assert harness.receive(event) == []

    assert len(harness.topic.published) == 1
    assert "alert.already_published" in harness.log.getvalue()


def test_record_holds_no_longer_than_the_invocation(harness: Harness) -> None:
    """An alert in progress blocks its redelivery only for the remaining time of the invocation."""
    harness.table.update_failures_left = 1

    harness.receive(bus_message(rejected()), context=FakeContext([900]))

    (record,) = harness.table.items.values()
    lasts_ms = int(record["in_progress_expiration"]["N"]) - (int(record["expiration"]["N"]) - 14 * 86_400) * 1000
    assert lasts_ms < 900 + 1_000, "the record's own expiry is in whole seconds"


def test_no_alert_begins_without_time_to_end(harness: Harness) -> None:
    """Shortly before the end of the invocation the rest of the batch is returned; earlier messages stay done."""
    bodies = [bus_message(completed(event_id=f"e{number}")) for number in range(3)]

    failed = harness.receive(*bodies, context=FakeContext([10_000, 9_000, 8_000, 2_000]))

    assert failed == ["m1", "m2"]
    assert len(harness.topic.published) == 1


def test_short_timeout_still_publishes(harness: Harness) -> None:
    """A function with a timeout of one second still handles messages."""
    assert harness.receive(bus_message(placed()), context=FakeContext([1_000, 900])) == []


def test_metrics_count_each_result(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    """One EMF document per invocation counts messages received, published, repeated, ignored and failed."""
    event = bus_message(placed())

    harness.receive(event, event, bus_message(cancelled()), "{")

    (document,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert {name: sum(document[name]) for name in document if name[0].isupper()} == {
        "MessagesReceived": 4,
        "AlertsPublished": 1,
        "AlertsAlreadyPublished": 1,
        "EventsIgnored": 1,
        "MessagesFailed": 1,
    }
    assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "OrderBoard"


def test_log_has_one_line_per_message(harness: Harness) -> None:
    """Each line names the event, the order and the result."""
    harness.receive(bus_message(placed()), "{")

    published, refused = map(json.loads, harness.log.getvalue().splitlines())
    assert (published["message"], published["kind"], published["correlation_id"]) == (
        "alert.published",
        "large_order",
        "corr-1",
    )
    assert (refused["message"], refused["message_id"], refused["receive_count"]) == ("message.refused", "m1", "1")
    assert "not an EventBridge event" in refused["reason"]

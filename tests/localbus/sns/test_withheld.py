"""Messages that AWS accepts and then withholds without an error. The journal and the log say why."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from localbus.journal import MAX_REPORTS, Journal
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, QueueOf, journal, new_queue

RAW = {"RawMessageDelivery": "true"}
MATCHING = {"k": {"DataType": "String", "StringValue": "a"}}


@pytest.fixture
def filtered(localbus: Localbus, sns: Any, topic: str) -> QueueOf:
    """A queue with a filter policy on the attribute `k`."""
    return subscribed(localbus, sns, topic, "filtered", FilterPolicy='{"k": ["a"]}')


@pytest.fixture
def unfiltered(localbus: Localbus, sns: Any, topic: str) -> QueueOf:
    """A queue that gets every message."""
    return subscribed(localbus, sns, topic, "unfiltered")


def subscribed(localbus: Localbus, sns: Any, topic: str, name: str, **attributes: str) -> QueueOf:
    """Return a new queue that is subscribed with raw delivery."""
    queue = new_queue(localbus, name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=RAW | attributes)
    return queue


def losses(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines that the log has about losses."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("kind", "text", "sound"),
    [
        ("String", 'a "quoted" word', False),
        ("String", '{"traceparent": "00-1"}', False),
        ("String", "a\ttab", False),
        ("String", "two\nlines", False),
        ("String", "C:\\data", False),
        ("String", 'an \\"escaped\\" word', True),
        ("String", "grüße, 漢字 and \u00a0", True),
        ("String.Array", "no array", False),
        ("String.Array", '"text"', False),
        ("String.Array", '{"a": 1}', False),
        ("String.Array", "[1, NaN]", False),
        ("String.Array", '["a", 1, true, null]', True),
        ("Number", "1.5", True),
    ],
)
def test_an_unsound_attribute_keeps_a_message_from_filtered_subscriptions(  # noqa: PLR0917 (a row of a table)
    localbus: Localbus, sns: Any, topic: str, filtered: QueueOf, unfiltered: QueueOf, kind: str, text: str, sound: bool
) -> None:
    """A value that is filtered must be valid in JSON, also one that no policy names (sns-message-attributes, note).

    AWS counts the message in NumberOfNotificationsFilteredOut-InvalidAttributes.
    """
    attributes = MATCHING | {"other": {"DataType": kind, "StringValue": text}}

    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)

    assert unfiltered.bodies() == ["m"]
    assert filtered.bodies() == (["m"] if sound else [])
    reasons = [entry["detail"]["reason"] for entry in journal(localbus, event="filtered")]
    assert [reason.startswith(f"InvalidAttributes: the {kind} attribute other is not") for reason in reasons] == (
        [] if sound else [True]
    )


def test_a_binary_attribute_is_never_unsound(sns: Any, topic: str, filtered: QueueOf) -> None:
    """SNS ignores Binary attributes when it filters (subscription-filter-policy-constraints)."""
    other = {"other": {"DataType": "Binary", "BinaryValue": b'"\t'}}

    sns.publish(TopicArn=topic, Message="m", MessageAttributes=MATCHING | other)

    assert filtered.bodies() == ["m"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("text", "InvalidMessageBody: the message body is not valid JSON"),
        ('{"k": NaN}', "InvalidMessageBody: the message body is not valid JSON"),
        ('["a"]', "InvalidMessageBody: the message body is not a JSON object"),
        ('"a"', "InvalidMessageBody: the message body is not a JSON object"),
    ],
)
def test_a_policy_on_the_body_accepts_objects_only(
    localbus: Localbus, sns: Any, topic: str, body: str, reason: str
) -> None:
    """Another body is withheld, and counted as InvalidMessageBody (sns-monitoring-using-cloudwatch)."""
    policy = {"FilterPolicy": '{"x": [{"exists": false}]}', "FilterPolicyScope": "MessageBody"}
    queue = subscribed(localbus, sns, topic, "q", **policy)

    sns.publish(TopicArn=topic, Message=body)
    sns.publish(TopicArn=topic, Message='{"k": 1}')

    assert queue.bodies() == ['{"k": 1}']
    [entry] = journal(localbus, event="filtered")
    assert entry["detail"]["reason"] == reason


@pytest.mark.parametrize("raw", ["true", "false"])
def test_attributes_are_not_sent_with_a_message_structure(
    localbus: Localbus, sns: Any, topic: str, filtered: QueueOf, raw: str
) -> None:
    """They are sent only with a plain message (sns-message-attributes, note), and filter all the same."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": raw})
    text = json.dumps({"default": "m"})

    sns.publish(TopicArn=topic, Message=text, MessageStructure="json", MessageAttributes=MATCHING)

    assert filtered.bodies() == ["m"]
    [message] = queue.receive()
    assert "MessageAttributes" not in message
    if raw == "false":
        assert "MessageAttributes" not in json.loads(message["Body"])


def test_the_log_says_the_first_loss_for_each_reason(
    localbus: Localbus, sns: Any, topic: str, filtered: QueueOf, caplog: pytest.LogCaptureFixture
) -> None:
    """A newcomer sees at once why nothing arrives; repeats are in the journal only."""
    closed = new_queue(localbus, "closed", open_to=None)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed.arn)
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    unsound = MATCHING | {"other": {"DataType": "String", "StringValue": '"'}}

    for _ in range(3):
        sns.publish(TopicArn=topic, Message="m", MessageAttributes=unsound)

    assert len(journal(localbus, event="dropped")) == len(journal(localbus, event="withheld")) == 3
    lines = losses(caplog)
    assert len(lines) == 3
    assert all(line.startswith(f"not delivered from {topic} to ") for line in lines)
    assert f"{filtered.arn}: no filter policy accepts the message, as the String attribute other is not" in lines[0]
    assert "the resource policy does not allow sns.amazonaws.com to perform sqs:SendMessage" in lines[1]
    assert "dropped: the subscription has no dead-letter queue. Allow it in the target's policy" in lines[1]
    assert "a@example.com: the subscription is not confirmed" in lines[2]


def test_the_log_says_where_a_dead_letter_went(
    localbus: Localbus, sns: Any, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An undeliverable message that is kept is a line too."""
    dead, missing = new_queue(localbus, "dead"), f"arn:aws:sqs:us-east-1:{ACCOUNT}:missing"
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=missing, Attributes=redrive)

    sns.publish(TopicArn=topic, Message="m")

    [line] = losses(caplog)
    assert f"The specified queue does not exist; sent to the dead-letter queue {dead.arn}." in line


def test_the_log_of_losses_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Sources or targets without end neither fill the log nor the memory."""
    kept = Journal()

    for number in range(MAX_REPORTS + 10):
        kept.report_loss("source", f"target {number}", "code", "reason")

    assert len(losses(caplog)) == MAX_REPORTS


def test_an_event_for_a_missing_bus_is_in_the_log(localbus: Localbus, caplog: pytest.LogCaptureFixture) -> None:
    """PutEvents accepts such an event and drops it (API_PutEvents)."""
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "missing"}

    localbus.client("events").put_events(Entries=[entry])

    [line] = losses(caplog)
    assert line.startswith("not delivered from PutEvents to missing: the event bus does not exist")

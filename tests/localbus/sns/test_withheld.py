"""Messages that AWS accepts and then withholds without an error. The journal and the log say why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, QueueOf, journal, losses, new_queue

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
    """A newcomer sees at once why nothing arrives, and what to do."""
    closed = new_queue(localbus, "closed", open_to=None)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed.arn)
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    unsound = MATCHING | {"other": {"DataType": "String", "StringValue": '"'}}

    sent = [sns.publish(TopicArn=topic, Message="m", MessageAttributes=unsound)["MessageId"] for _ in range(3)]

    assert len(journal(localbus, event="dropped")) == len(journal(localbus, event="withheld")) == 3
    unsound_line, denied, unconfirmed = losses(caplog)
    way = f"message {sent[0]} from {topic} to"
    assert unsound_line.startswith(f"filtered out {way} {filtered.arn}: no filter policy accepts the message, as the ")
    assert denied == (
        f"dropped {way} {closed.arn}: Access to the resource {closed.arn} is denied: the resource policy does not "
        "allow sns.amazonaws.com to perform sqs:SendMessage; the subscription has no dead-letter queue. "
        "Allow it in the target's policy, or start localbus with --no-policies."
    )
    assert unconfirmed.startswith(f"withheld {way} a@example.com: the subscription is not confirmed. Open its Subscri")


def test_the_log_says_where_a_dead_letter_went(
    localbus: Localbus, sns: Any, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An undeliverable message that is kept is a line too."""
    dead, missing = new_queue(localbus, "dead"), f"arn:aws:sqs:us-east-1:{ACCOUNT}:missing"
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=missing, Attributes=redrive)

    sent = sns.publish(TopicArn=topic, Message="m")["MessageId"]

    assert losses(caplog) == [
        f"dead-lettered message {sent} from {topic} to {missing}: The specified queue does not exist; it is in "
        f"{dead.arn}. Create the target, or delete what sends to it."
    ]


def test_an_event_for_a_missing_bus_is_in_the_log(localbus: Localbus, caplog: pytest.LogCaptureFixture) -> None:
    """PutEvents accepts such an event and drops it (API_PutEvents)."""
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "missing"}

    [put] = localbus.client("events").put_events(Entries=[entry])["Entries"]

    assert losses(caplog) == [
        f"dropped message {put['EventId']} from PutEvents to missing: the event bus does not exist. "
        "Create the bus, or correct EventBusName."
    ]

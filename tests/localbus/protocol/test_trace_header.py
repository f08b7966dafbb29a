"""The X-Ray trace header through EventBridge: to queues and topics, and not through archives.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import new_queue

ARN = "arn:aws:{}:us-east-1:000000000000:{}"
BUS_ARN = ARN.format("events", "event-bus/default")


def put(localbus: Localbus, **given: Any) -> None:
    """Put an event by a request that has a trace header."""
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}", **given}
    headers = {"X-Amz-Target": "AWSEvents.PutEvents", "X-Amzn-Trace-Id": "Root=request"}
    answer = httpx.post(localbus.url, json={"Entries": [entry]}, headers=headers)
    assert answer.json()["FailedEntryCount"] == 0


def target(localbus: Localbus, arn: str, **given: Any) -> None:
    """Send every event of the source to this target."""
    events = localbus.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["s"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, **given}])


@pytest.mark.parametrize(("given", "expected"), [({}, "Root=request"), ({"TraceHeader": "Root=entry"}, "Root=entry")])
def test_an_event_s_trace_reaches_a_queue_through_a_topic(
    localbus: Localbus, given: dict[str, str], expected: str
) -> None:
    """The request's header goes with the event, from bus to topic to queue; the entry's header overrides it."""
    queue = new_queue(localbus, "q", open_to="sns")
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    policy = json.dumps({"Statement": [statement | {"Resource": topic}]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    target(localbus, topic)

    put(localbus, **given)

    [message] = queue.receive()
    assert message["Attributes"]["AWSTraceHeader"] == expected


def test_a_dead_letter_has_the_event_s_trace(localbus: Localbus) -> None:
    """An event in the dead-letter queue carries the header."""
    dead = new_queue(localbus, "dead", open_to="events")
    target(localbus, ARN.format("sqs", "nowhere"), DeadLetterConfig={"Arn": dead.arn})

    put(localbus)

    [message] = dead.receive()
    assert message["Attributes"]["AWSTraceHeader"] == "Root=request"


def test_an_archive_keeps_no_trace(localbus: Localbus) -> None:
    """A replayed event has no trace header."""
    queue = new_queue(localbus, "q", open_to="events")
    events = localbus.client("events")
    archive = events.create_archive(ArchiveName="kept", EventSourceArn=BUS_ARN)["ArchiveArn"]
    put(localbus)
    target(localbus, queue.arn)
    now = localbus.clock.now()
    localbus.advance(60)

    events.start_replay(
        ReplayName="again",
        EventSourceArn=archive,
        EventStartTime=now - 1,
        EventEndTime=now + 1,
        Destination={"Arn": BUS_ARN},
    )
    localbus.advance(600)

    [message] = queue.receive()
    assert "AWSTraceHeader" not in message["Attributes"]

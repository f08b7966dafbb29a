"""The X-Ray trace header on its way through EventBridge: to queues and topics, and not through archives.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus

ARN = "arn:aws:{}:us-east-1:000000000000:{}"
BUS_ARN = ARN.format("events", "event-bus/default")


def open_queue(localbus: Localbus, name: str) -> str:
    """The URL of a queue to which EventBridge and SNS may send."""
    sqs = localbus.client("sqs")
    principals = {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": principals, "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Statement": [statement]})
    return str(sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"])


def trace_of(localbus: Localbus, url: str) -> str | None:
    """The trace header of the one message of a queue."""
    [message] = localbus.client("sqs").receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    trace: str | None = message["Attributes"].get("AWSTraceHeader")
    return trace


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
    """The header of the request goes with the event, from bus to topic to queue; an entry's own overrides it."""
    url = open_queue(localbus, "q")
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    policy = json.dumps({"Statement": [statement | {"Resource": topic}]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=ARN.format("sqs", "q"))
    target(localbus, topic)

    put(localbus, **given)

    assert trace_of(localbus, url) == expected


def test_a_dead_letter_has_the_event_s_trace(localbus: Localbus) -> None:
    """What goes to the dead-letter queue carries the header."""
    dead = open_queue(localbus, "dead")
    target(localbus, ARN.format("sqs", "nowhere"), DeadLetterConfig={"Arn": ARN.format("sqs", "dead")})

    put(localbus)

    assert trace_of(localbus, dead) == "Root=request"


def test_an_archive_keeps_no_trace(localbus: Localbus) -> None:
    """A replayed event has no trace header."""
    url = open_queue(localbus, "q")
    events = localbus.client("events")
    archive = events.create_archive(ArchiveName="kept", EventSourceArn=BUS_ARN)["ArchiveArn"]
    put(localbus)
    target(localbus, ARN.format("sqs", "q"))
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

    assert trace_of(localbus, url) is None

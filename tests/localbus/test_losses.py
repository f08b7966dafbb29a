"""Losses as lines in the log: each has a fix, and a burst of them is one line and a count."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from localbus.journal import Loss
from localbus.losses import MAX_LINES, MAX_TOTALS, Losses
from localbus.pytest_plugin import Localbus
from support.localbus import losses

from localbus import losses as module

ARN = "arn:aws:sqs:us-east-1:000000000000:"


def lost(number: int = 1, target: str = "target") -> Loss:
    """A loss of this kind."""
    return Loss("dropped", f"m{number}", "source", target, "Code", "a\n  \x1breason.", "A fix")


async def test_a_burst_is_a_line_and_a_count(caplog: pytest.LogCaptureFixture) -> None:
    """The first loss has its reason in one line, and a fix; the others of its kind are counted together."""
    found = Losses()
    for number in range(1_000):
        found.report(lost(number))

    found.flush()

    assert losses(caplog) == [
        "dropped message m0 from source to target: a reason. A fix.",
        "dropped 999 more from source to target (Code). Each of them: GET /_localbus/journal?event=dropped",
    ]


async def test_the_count_comes_by_itself_and_then_the_next_loss_is_a_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is logged also if nothing follows."""
    monkeypatch.setattr(module, "COUNTED_FOR_S", 0)
    found = Losses()
    found.report(lost(1))
    found.report(lost(2))
    for _ in range(3):
        await asyncio.sleep(0)

    found.report(lost(3))
    found.flush()

    first, more, third = losses(caplog)
    assert ("m1 " in first, "1 more" in more, "m3 " in third) == (True, True, True)


async def test_kinds_without_end_are_counted_together(caplog: pytest.LogCaptureFixture) -> None:
    """Sources or targets without end neither fill the log nor the memory."""
    found = Losses()
    for number in range(10 * MAX_LINES):
        found.report(lost(target=f"target {number}"))

    found.flush()

    *lines, last = losses(caplog)
    assert len(lines) == MAX_LINES
    assert last == f"{9 * MAX_LINES} more losses of other kinds: GET /_localbus/journal has each of them"


async def test_losses_are_totalled_by_kind() -> None:
    """A total lasts longer than the counts of the log, has the latest reason, and their number has an end."""
    found = Losses()
    for number in range(3):
        found.report(lost(number))
    found.flush()
    found.report(lost()._replace(reason="another reason"))

    [total] = found.totals()
    assert (total["count"], total["event"], total["target"]) == (4, "dropped", "target")
    assert total["reason"] == "another reason"

    for number in range(2 * MAX_TOTALS):
        found.report(lost(target=f"target {number}"))
    assert len(found.totals()) == MAX_TOTALS
    found.flush()


def test_totals_are_a_page(localbus: Localbus, sqs: Any, url: str) -> None:
    """GET /_localbus/losses has what SNS could not send to a queue whose policy does not allow it."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="m")

    [total] = httpx.get(f"{localbus.url}/_localbus/losses").json()["losses"]
    assert (total["source"], total["target"], total["count"]) == (topic, arn, 1)
    assert "policy" in total["reason"]


def test_an_expired_message_is_a_line(localbus: Localbus, sqs: Any, url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A message that is older than its queue's retention period."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    sent = sqs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]

    localbus.advance(61)
    sqs.receive_message(QueueUrl=url)

    assert losses(caplog) == [
        f"dropped message {sent} of {ARN}work: it was not deleted within its retention period of 60 s. "
        "Delete what is processed; a longer MessageRetentionPeriod keeps the rest."
    ]


def test_a_message_that_was_received_too_often_is_a_line(
    localbus: Localbus, sqs: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that its queue moves to the dead-letter queue."""
    sqs.create_queue(QueueName="dead")
    redrive = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "0"})
    sent = sqs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]

    for _ in range(2):
        sqs.receive_message(QueueUrl=url)

    assert losses(caplog) == [
        f"dead-lettered message {sent} from {ARN}work to {ARN}dead: it was received as often as maxReceiveCount "
        "permits (1). StartMessageMoveTask moves it back once the consumer can process it."
    ]


def test_a_target_that_does_not_exist_is_a_line(localbus: Localbus, caplog: pytest.LogCaptureFixture) -> None:
    """A rule's target that was deleted, or never created."""
    events = localbus.client("events")
    rule = events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')["RuleArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": f"{ARN}gone"}])

    [put] = events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}"}])["Entries"]

    assert losses(caplog) == [
        f"dropped message {put['EventId']} from {rule} to {ARN}gone: NO_RESOURCE: The specified queue does not exist; "
        "the target has no dead-letter queue. Create the target, or delete what sends to it."
    ]


def test_what_a_filter_policy_rejects_is_no_loss(
    localbus: Localbus, sqs: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A filter is there to keep messages away."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    policy = {"FilterPolicy": '{"kind": ["tea"]}'}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"{ARN}work", Attributes=policy)

    sns.publish(TopicArn=topic, Message="coffee")

    assert losses(caplog) == []

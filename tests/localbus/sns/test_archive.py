"""The archive of a FIFO topic and replays from it: their state follows the time of each read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import QueueOf, journal, new_queue

DAY_S = 86_400


@pytest.fixture
def topic(sns: Any, fifo_topic: str) -> str:
    """The ARN of a FIFO topic with an archive of 30 days, empty at 2023-11-14T22:13:20Z."""
    archive(sns, fifo_topic, 30)
    return fifo_topic


def archive(sns: Any, topic: str, days: int) -> None:
    """Set the retention of the topic's archive."""
    policy = json.dumps({"MessageRetentionPeriod": str(days)})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="ArchivePolicy", AttributeValue=policy)


def beginning(sns: Any, topic: str) -> str:
    """Return the start of the archive."""
    return str(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["BeginningArchiveTime"])


def publish(sns: Any, topic: str, text: str) -> None:
    """Publish a message."""
    sns.publish(TopicArn=topic, Message=text, MessageGroupId="g")


def replay_policy(start: str, end: str | None = None) -> str:
    """Return a ReplayPolicy."""
    policy = {"PointType": "Timestamp", "StartingPoint": start} | ({"EndingPoint": end} if end else {})
    return json.dumps(policy)


def subscribe(localbus: Localbus, sns: Any, topic: str, policy: str) -> tuple[str, QueueOf]:
    """Subscribe a new queue with a ReplayPolicy, and return the subscription's ARN and the queue."""
    queue = new_queue(localbus, "q.fifo")
    attributes = {"ReplayPolicy": policy, "RawMessageDelivery": "true"}
    answer = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)
    return answer["SubscriptionArn"], queue


def status(sns: Any, subscription: str) -> str | None:
    """Return the ReplayStatus."""
    found: str | None = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"].get("ReplayStatus")
    return found


def test_the_beginning_of_the_archive_follows_the_retention(localbus: Localbus, sns: Any, topic: str) -> None:
    """It is the earliest time from which messages can be replayed (API_GetTopicAttributes, BeginningArchiveTime)."""
    localbus.advance(29 * DAY_S)
    assert beginning(sns, topic) == "2023-11-14T22:13:20.000Z"

    localbus.advance(2 * DAY_S)
    assert beginning(sns, topic) == "2023-11-15T22:13:20.000Z"

    archive(sns, topic, 1)
    assert beginning(sns, topic) == "2023-12-14T22:13:20.000Z"


def test_a_longer_retention_brings_nothing_back(localbus: Localbus, sns: Any, topic: str) -> None:
    """A message that has left the archive stays away."""
    archive(sns, topic, 1)
    publish(sns, topic, "old")
    localbus.advance(2 * DAY_S)
    archive(sns, topic, 30)
    publish(sns, topic, "new")

    assert beginning(sns, topic) == "2023-11-15T22:13:20.000Z"
    _, queue = subscribe(localbus, sns, topic, replay_policy("2023-11-14T00:00:00Z"))
    assert queue.bodies() == ["new"]


def test_a_replay_without_an_end_goes_on_with_new_messages(localbus: Localbus, sns: Any, topic: str) -> None:
    """ReplayStatus Completed: now delivering newly published messages (API_GetSubscriptionAttributes)."""
    publish(sns, topic, "archived")
    arn, queue = subscribe(localbus, sns, topic, replay_policy("2023-11-14T00:00:00Z"))

    publish(sns, topic, "new")

    assert queue.bodies() == ["archived", "new"]
    assert status(sns, arn) == "Completed"


def test_nothing_is_delivered_after_the_end_of_a_replay(localbus: Localbus, sns: Any, topic: str) -> None:
    """With an EndingPoint the subscription gets no new messages after it (API_GetSubscriptionAttributes)."""
    publish(sns, topic, "archived")
    localbus.advance(60)
    arn, queue = subscribe(localbus, sns, topic, replay_policy("2023-11-14T00:00:00Z", "2023-11-14T22:14:00Z"))

    publish(sns, topic, "new")

    assert queue.bodies() == ["archived"]
    assert status(sns, arn) == "Completed"
    [withheld] = journal(localbus, event="withheld")
    assert withheld["detail"] == "the replay has reached its EndingPoint"

    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="ReplayPolicy", AttributeValue="{}")
    publish(sns, topic, "newer")

    assert queue.bodies() == ["newer"]
    assert status(sns, arn) is None


def test_a_replay_is_in_progress_until_a_later_end(localbus: Localbus, sns: Any, topic: str) -> None:
    """An EndingPoint in the future is reached by time alone."""
    arn, queue = subscribe(localbus, sns, topic, replay_policy("2023-11-14T00:00:00Z", "2023-11-14T23:00:00Z"))
    publish(sns, topic, "before the end")
    assert status(sns, arn) == "In progress"

    localbus.advance(3600)
    publish(sns, topic, "after the end")

    assert status(sns, arn) == "Completed"
    assert queue.bodies() == ["before the end"]


def test_a_replay_begins_when_the_subscription_is_confirmed(localbus: Localbus, sns: Any, topic: str) -> None:
    """A queue of another account confirms first (API_ConfirmSubscription, ReplayLimitExceeded)."""
    publish(sns, topic, "archived")
    other = localbus.client("sqs", account="111111111111")
    url = other.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    attributes = {"Policy": json.dumps({"Statement": statement}), "ContentBasedDeduplication": "true"}
    other.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    given = {"ReplayPolicy": replay_policy("2023-11-14T00:00:00Z"), "RawMessageDelivery": "true"}
    endpoint = "arn:aws:sqs:us-east-1:111111111111:q.fifo"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=given)
    queue = QueueOf(other, url, endpoint)
    [confirmation] = queue.bodies()

    sns.confirm_subscription(TopicArn=topic, Token=json.loads(confirmation)["Token"])

    assert queue.bodies() == ["archived"]

"""The metrics of SQS: names, units, and what each counts.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from localbus.pytest_plugin import Localbus


def latest(localbus: Localbus, name: str, queue: str = "work", stat: str = "Sum") -> float | None:
    """Return a metric of a queue in the minute that has ended last; None without data."""
    end = datetime.fromtimestamp(localbus.clock.now() // 60 * 60, UTC)
    points = localbus.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName=name,
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=end - timedelta(minutes=1),
        EndTime=end,
        Period=60,
        Statistics=[stat],
    )["Datapoints"]
    return float(points[0][stat]) if points else None


def test_counts_of_a_minute(localbus: Localbus, sqs: Any, url: str) -> None:
    """Messages sent, received and deleted, and empty receives, count in their minute and not in the next."""
    for body in ("a", "bbb"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"])
    sqs.receive_message(QueueUrl=url)
    localbus.advance(60)

    names = ("Sent", "Received", "Deleted")
    assert [latest(localbus, f"NumberOfMessages{name}") for name in names] == [3, 2, 1]
    assert latest(localbus, "NumberOfEmptyReceives") == 1
    assert [latest(localbus, "SentMessageSize", stat=stat) for stat in ("SampleCount", "Sum", "Maximum")] == [3, 9, 5]
    states = ("Visible", "NotVisible", "Delayed")
    assert [latest(localbus, f"ApproximateNumberOfMessages{name}") for name in states] == [1, 0, 1]
    localbus.advance(60)
    assert [latest(localbus, f"NumberOfMessages{name}") for name in names] == [0, 0, 0]
    assert latest(localbus, "SentMessageSize") is None


def test_the_age_leaves_poison_out(localbus: Localbus, sqs: Any, url: str) -> None:
    """A message that was received three times and not deleted does not count as the oldest."""
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    localbus.advance(100)
    sqs.send_message(QueueUrl=url, MessageBody="tea")
    localbus.advance(60)
    before = latest(localbus, "ApproximateAgeOfOldestMessage")

    sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    localbus.advance(60)

    assert (before, latest(localbus, "ApproximateAgeOfOldestMessage")) == (160, 120)


def test_a_dead_letter_is_as_old_as_its_move(localbus: Localbus, sqs: Any) -> None:
    """The age of a dead letter counts from the move, which NumberOfMessagesSent of its queue leaves out."""
    sqs.create_queue(QueueName="dlq")
    redrive = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dlq", "maxReceiveCount": 1}'
    url = sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    localbus.advance(600)
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)

    localbus.advance(120)

    assert latest(localbus, "ApproximateAgeOfOldestMessage", "dlq") == 100
    assert latest(localbus, "ApproximateNumberOfMessagesVisible", "dlq") == 1
    assert latest(localbus, "NumberOfMessagesSent", "dlq") == 0


def test_a_queue_is_active_for_six_hours(localbus: Localbus, sqs: Any, url: str) -> None:
    """An empty queue publishes for six hours after the last action on it."""
    sqs.get_queue_attributes(QueueUrl=url)
    localbus.advance(6 * 3600)
    active = latest(localbus, "NumberOfMessagesSent")
    localbus.advance(120)

    assert (active, latest(localbus, "NumberOfMessagesSent")) == (0, None)


def test_metrics_of_a_fifo_queue(localbus: Localbus, sqs: Any) -> None:
    """A FIFO queue publishes its groups in flight and its duplicates."""
    attributes = {"FifoQueue": "true"}
    url = sqs.create_queue(QueueName="work.fifo", Attributes=attributes)["QueueUrl"]
    for group, token in (("a", "1"), ("a", "1"), ("b", "2")):
        sqs.send_message(QueueUrl=url, MessageBody="tea", MessageGroupId=group, MessageDeduplicationId=token)
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)

    localbus.advance(60)

    assert latest(localbus, "NumberOfDeduplicatedSentMessages", "work.fifo") == 1
    assert latest(localbus, "NumberOfMessagesSent", "work.fifo") == 2
    assert latest(localbus, "ApproximateNumberOfGroupsWithInflightMessages", "work.fifo") == 2

"""localbus through boto3's resource API: queues, messages, topics and subscriptions as objects."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from localbus.pytest_plugin import Localbus
from support.policies import policy


def resource(localbus: Localbus, service: str) -> Any:
    """A boto3 resource for the engine."""
    make: Any = boto3.resource
    return make(
        service,
        endpoint_url=localbus.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def sqs(localbus: Localbus) -> Any:
    """The SQS resource."""
    return resource(localbus, "sqs")


def test_a_queue(sqs: Any) -> None:
    """A queue sends, receives, changes and deletes, and reloads its attributes."""
    queue = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "5"})
    blob = {"blob": {"DataType": "Binary", "BinaryValue": bytes(range(256))}}
    answer = queue.send_messages(
        Entries=[{"Id": str(n), "MessageBody": f"Grüße {n}", "MessageAttributes": blob} for n in range(9)]
    )
    queue.send_message(MessageBody="<last>")

    received = queue.receive_messages(MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"])
    received[0].change_visibility(VisibilityTimeout=0)
    [again] = queue.receive_messages(AttributeNames=["ApproximateReceiveCount"])
    deleted = queue.delete_messages(
        Entries=[{"Id": str(n), "ReceiptHandle": one.receipt_handle} for n, one in enumerate(received[1:])]
    )
    again.delete()

    assert len(answer["Successful"]) == 9
    assert [one.body for one in received] == [*(f"Grüße {n}" for n in range(9)), "<last>"]
    assert received[0].message_attributes["blob"]["BinaryValue"] == bytes(range(256))
    assert (again.message_id, again.attributes["ApproximateReceiveCount"]) == (received[0].message_id, "2")
    assert len(deleted["Successful"]) == 9
    queue.reload()
    assert queue.attributes["VisibilityTimeout"] == "5"
    assert queue.attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert queue.receive_messages() == []


def test_queues(sqs: Any) -> None:
    """Queues are found by name and prefix over several pages, with their dead-letter source queues."""
    dead = sqs.create_queue(QueueName="page-dead")
    arn = dead.attributes["QueueArn"]
    for n in range(4):
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
        sqs.create_queue(QueueName=f"page-{n}", Attributes={"RedrivePolicy": redrive})

    assert sqs.get_queue_by_name(QueueName="page-dead").url == dead.url
    assert [queue.url.rpartition("-")[2] for queue in sqs.queues.filter(QueueNamePrefix="page-").page_size(2)] == [
        "0", "1", "2", "3", "dead",
    ]  # fmt: skip
    assert len(list(dead.dead_letter_source_queues.all())) == 4
    dead.delete()
    with pytest.raises(sqs.meta.client.exceptions.QueueDoesNotExist):
        dead.load()


def test_a_fifo_queue(sqs: Any) -> None:
    """The order within a group is kept, and a duplicate is dropped."""
    queue = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    for body in ("a", "b", "b", "c"):
        queue.send_message(MessageBody=body, MessageGroupId="g")

    assert [one.body for one in queue.receive_messages(MaxNumberOfMessages=10)] == ["a", "b", "c"]


def test_a_topic(localbus: Localbus, sqs: Any) -> None:
    """A topic publishes to a queue whose policy allows it, and lists its subscriptions."""
    sns = resource(localbus, "sns")
    topic, queue = sns.create_topic(Name="t"), sqs.create_queue(QueueName="q")
    arn = queue.attributes["QueueArn"]
    allowed = policy("sqs:SendMessage", arn, "sns", source={"ArnEquals": topic.arn})
    queue.set_attributes(Attributes={"Policy": allowed})
    subscription = topic.subscribe(Protocol="sqs", Endpoint=arn)
    subscription.set_attributes(AttributeName="RawMessageDelivery", AttributeValue="true")

    topic.publish(Message="Grüße", MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}})

    [message] = queue.receive_messages(WaitTimeSeconds=5, MessageAttributeNames=["n"])
    assert (message.body, message.message_attributes["n"]["StringValue"]) == ("Grüße", "1")
    assert [each.arn for each in topic.subscriptions.all()] == [subscription.arn]
    assert topic.attributes["SubscriptionsConfirmed"] == "1"
    topic.delete()
    assert list(sns.topics.all()) == []

"""localbus through the AWS CLI: commands and their output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clients.aws_cli import AwsCli
from localbus.pytest_plugin import Localbus
from support.policies import policy

REGION = "eu-west-1"
ARN = f"arn:aws:sqs:{REGION}:000000000000"


@pytest.fixture
def aws(localbus: Localbus, warm: Path) -> AwsCli:
    """The CLI for a fresh engine."""
    return AwsCli(warm, localbus.url, REGION)


def test_sqs(aws: AwsCli) -> None:
    """Messages are sent, received and deleted, with Unicode bodies and attributes."""
    attributes = '{"who": {"DataType": "String", "StringValue": "Zoë"}}'
    entries = json.dumps([{"Id": str(n), "MessageBody": f"body {n}"} for n in range(9)])

    url = aws("sqs", "create-queue", "--queue-name", "q", "--attributes", "VisibilityTimeout=5")["QueueUrl"]
    sent = aws(
        "sqs", "send-message", "--queue-url", url, "--message-body", "Grüße 🍵 <&>", "--message-attributes", attributes
    )
    batch = aws("sqs", "send-message-batch", "--queue-url", url, "--entries", entries)
    received = aws(
        "sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10",
        "--message-attribute-names", "All", "--message-system-attribute-names", "All", "--wait-time-seconds", "20",
    )["Messages"]  # fmt: skip
    handles = json.dumps([{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(received)])
    deleted = aws("sqs", "delete-message-batch", "--queue-url", url, "--entries", handles)

    assert received[0]["Body"] == "Grüße 🍵 <&>"
    assert received[0]["MessageId"] == sent["MessageId"]
    assert received[0]["MessageAttributes"]["who"]["StringValue"] == "Zoë"
    assert received[0]["Attributes"]["ApproximateReceiveCount"] == "1"
    assert len(batch["Successful"]) == 9
    assert len(deleted["Successful"]) == 10
    assert aws("sqs", "receive-message", "--queue-url", url) is None
    shown = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert (shown["QueueArn"], shown["VisibilityTimeout"]) == (f"{ARN}:q", "5")


def test_sqs_by_pages_and_groups(aws: AwsCli) -> None:
    """The CLI pages lists itself, and a FIFO queue keeps its order and drops duplicates."""
    url = aws("sqs", "create-queue", "--queue-name", "q.fifo", "--attributes", "FifoQueue=true")["QueueUrl"]
    for name in ("page-1", "page-2", "page-3"):
        aws("sqs", "create-queue", "--queue-name", name)
    for body in ("a", "b", "b"):
        aws(
            "sqs", "send-message", "--queue-url", url, "--message-body", body,
            "--message-group-id", "g", "--message-deduplication-id", body,
        )  # fmt: skip

    received = aws("sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10")["Messages"]
    listed = aws("sqs", "list-queues", "--queue-name-prefix", "page", "--page-size", "2")["QueueUrls"]

    assert [one["Body"] for one in received] == ["a", "b"]
    assert [each.rpartition("/")[2] for each in listed] == ["page-1", "page-2", "page-3"]


def test_sns(aws: AwsCli) -> None:
    """A topic delivers to a queue whose policy allows it, and is deleted."""
    topic = aws("sns", "create-topic", "--name", "t")["TopicArn"]
    attributes = json.dumps({"Policy": policy("sqs:SendMessage", f"{ARN}:q", "sns", source={"ArnEquals": topic})})
    url = aws("sqs", "create-queue", "--queue-name", "q", "--attributes", attributes)["QueueUrl"]

    aws(
        "sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", f"{ARN}:q",
        "--attributes", '{"FilterPolicy": "{\\"size\\": [\\"large\\"]}"}',
    )  # fmt: skip
    large = '{"size": {"DataType": "String", "StringValue": "large"}}'
    aws("sns", "publish", "--topic-arn", topic, "--message", "small")
    published = aws("sns", "publish", "--topic-arn", topic, "--message", "Grüße", "--message-attributes", large)

    [message] = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5")["Messages"]
    envelope = json.loads(message["Body"])
    assert (envelope["Message"], envelope["MessageId"]) == ("Grüße", published["MessageId"])
    [listed] = aws("sns", "list-subscriptions-by-topic", "--topic-arn", topic)["Subscriptions"]
    assert listed["Endpoint"] == f"{ARN}:q"
    aws("sns", "delete-topic", "--topic-arn", topic)
    assert aws("sns", "list-topics")["Topics"] == []


def test_eventbridge(aws: AwsCli) -> None:
    """An event that matches a rule reaches the rule's queue."""
    attributes = json.dumps({"Policy": policy("sqs:SendMessage", f"{ARN}:q", "events")})
    url = aws("sqs", "create-queue", "--queue-name", "q", "--attributes", attributes)["QueueUrl"]
    aws("events", "create-event-bus", "--name", "bus")
    aws("events", "put-rule", "--name", "r", "--event-bus-name", "bus", "--event-pattern", '{"source": ["shop"]}')
    aws("events", "put-targets", "--rule", "r", "--event-bus-name", "bus", "--targets", f"Id=1,Arn={ARN}:q")
    entry = {"EventBusName": "bus", "Source": "shop", "DetailType": "order", "Detail": '{"who": "Zoë"}'}

    answer = aws("events", "put-events", "--entries", json.dumps([entry, entry | {"Source": ""}]))

    assert answer["FailedEntryCount"] == 1
    [message] = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5")["Messages"]
    assert json.loads(message["Body"])["detail"] == {"who": "Zoë"}
    assert [rule["Name"] for rule in aws("events", "list-rules", "--event-bus-name", "bus")["Rules"]] == ["r"]


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (
            "sqs get-queue-url --queue-name none",
            "(AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl",
        ),
        ("sns get-topic-attributes --topic-arn arn:aws:sns:eu-west-1:000000000000:none", "(NotFound) when calling the"),
        ("events describe-rule --name none", "(ResourceNotFoundException) when calling the DescribeRule operation"),
    ],
)
def test_errors(aws: AwsCli, command: str, printed: str) -> None:
    """An error is printed as AWS's: its code, the operation, and AWS's message."""
    error = aws.error(*command.split())

    assert f"An error occurred {printed}" in error
    assert "not exist" in error

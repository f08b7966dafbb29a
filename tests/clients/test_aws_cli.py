"""localbus through the AWS CLI: what a person types, and what is printed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clients.installed import aws_cli
from localbus.pytest_plugin import Localbus

REGION = "eu-west-1"
ARN = f"arn:aws:sqs:{REGION}:000000000000"


class Cli:
    """The program, with an engine as its endpoint and a home without settings.

    The endpoint is an option: version 1 of the CLI does not go by AWS_ENDPOINT_URL where SQS is concerned.
    """

    def __init__(self, program: Path, url: str, home: Path) -> None:
        self._command = [str(program), "--endpoint-url", url, "--output", "json"]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONUTF8": "1",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def __call__(self, *arguments: str) -> Any:
        """What the command prints, read as JSON; nothing where it prints nothing."""
        done = self._run(arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *arguments: str) -> str:
        """What the command prints when it is refused."""
        done = self._run(arguments)
        assert done.returncode in {254, 255}, done.stdout
        return done.stderr

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            encoding="utf-8",
        )


@pytest.fixture
def aws(localbus: Localbus, tmp_path: Path) -> Cli:
    """The CLI for a fresh engine."""
    return Cli(aws_cli(), localbus.url, tmp_path)


def test_sqs(aws: Cli, tmp_path: Path) -> None:
    """A queue is made; messages are sent, received and deleted, with attributes of every type."""
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)))
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


def test_sqs_by_pages_and_groups(aws: Cli) -> None:
    """Lists are paged by the CLI itself, and a FIFO queue keeps its order and drops what is sent twice."""
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


def test_sns(aws: Cli) -> None:
    """A topic delivers to a queue that lets it, and goes."""
    topic = aws("sns", "create-topic", "--name", "t")["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"{ARN}:q",
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    attributes = json.dumps({"Policy": json.dumps({"Statement": [statement]})})
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


def test_eventbridge(aws: Cli) -> None:
    """An event that fits a rule of a bus reaches the rule's queue."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": f"{ARN}:q"}
    attributes = json.dumps({"Policy": json.dumps({"Statement": [statement]})})
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
def test_errors(aws: Cli, command: str, printed: str) -> None:
    """An error is printed as AWS's own: its code, the operation, and AWS's message."""
    error = aws.refused(*command.split())

    assert f"An error occurred {printed}" in error
    assert "not exist" in error

"""localbus used alone: from the command line, as a pytest fixture, and by an asyncio client."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from aiobotocore.session import get_session
from localbus.pytest_plugin import Localbus


def test_the_command_line() -> None:
    """It says where it listens, is ready within a second or so, and ends at once on SIGTERM."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "localbus", "--port", "0", "--manual-clock"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None

    line = process.stdout.readline()

    assert line.startswith("localbus listens on http://127.0.0.1:")
    assert time.monotonic() - started < 5
    assert httpx.get(f"{line.split()[-1]}/_localbus/clock").json()["manual"] is True
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    process.stdout.close()


def test_the_fixture_is_quick(localbus: Localbus) -> None:
    """A fresh engine takes less than 200 ms."""
    started = time.monotonic()

    another = Localbus().start()

    assert time.monotonic() - started < 0.2
    assert another.url != localbus.url
    another.stop()


async def test_an_asyncio_client(localbus: Localbus) -> None:
    """aiobotocore sends, receives and deletes."""
    given: dict[str, Any] = {
        "endpoint_url": localbus.url,
        "region_name": "eu-central-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    async with get_session().create_client("sqs", **given) as sqs:
        url = (await sqs.create_queue(QueueName="q"))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="b")
        answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        [message] = answer["Messages"]
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        shown = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "ApproximateNumberOfMessages"])

    assert message["Body"] == "b"
    assert shown["Attributes"]["QueueArn"] == "arn:aws:sqs:eu-central-1:000000000000:q"
    assert shown["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_the_resource_api_of_boto3(localbus: Localbus) -> None:
    """Queues and messages as boto3's objects."""
    boto3 = pytest.importorskip("boto3")
    make: Any = boto3.resource
    resource = make(
        "sqs", endpoint_url=localbus.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    queue = resource.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "5"})
    queue.send_messages(Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)])

    received = queue.receive_messages(MaxNumberOfMessages=10)
    for message in received:
        message.delete()

    assert [message.body for message in received] == [str(n) for n in range(10)]
    queue.reload()
    assert queue.attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert resource.get_queue_by_name(QueueName="q").url == queue.url

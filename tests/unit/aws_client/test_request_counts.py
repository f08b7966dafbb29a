"""Counting at the client: every attempt is a request, every message an entry."""

from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from orderboard_aws_client.request_counts import count_requests


class _Raw:
    """A body as urllib3 gives it."""

    def stream(self, **_: Any) -> list[bytes]:
        """All at once."""
        return [b"{}"]


def test_attempts_are_requests_and_messages_are_entries() -> None:
    """A batch of three that is throttled once: two requests, three entries."""
    counted: dict[tuple[str, str], list[int]] = {}
    statuses = iter((503, 200))

    def count(service: str, operation: str, requests: int, entries: int) -> None:
        total = counted.setdefault((service, operation), [0, 0])
        total[0] += requests
        total[1] += entries

    def answer(**_: Any) -> AWSResponse:
        return AWSResponse("", next(statuses), HTTPHeaders(), _Raw())

    client = boto3.Session("test", "test", region_name="us-east-1").client(
        "sqs", endpoint_url="http://127.0.0.1:9", config=Config(retries={"mode": "standard", "total_max_attempts": 2})
    )
    count_requests(client, count)
    client.meta.events.register("before-send", answer)  # type: ignore[arg-type]

    client.delete_message_batch(
        QueueUrl="http://127.0.0.1:9/1/q", Entries=[{"Id": str(number), "ReceiptHandle": "r"} for number in range(3)]
    )

    assert counted == {("sqs", "DeleteMessageBatch"): [2, 3]}

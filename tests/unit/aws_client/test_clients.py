"""Clients: every attempt and every entry is counted."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from orderboard_aws_client.clients import count_requests


class _Body:
    """A response body as urllib3 provides it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield the body at once."""
        yield self._content


def _client(
    service: str, responses: Iterator[tuple[int, bytes]], **options: Any
) -> tuple[Any, list[AWSPreparedRequest]]:
    """A client that gets these responses, and the list of its requests."""
    sent: list[AWSPreparedRequest] = []

    def respond(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        status, body = next(responses)
        return AWSResponse("", status, HTTPHeaders(), _Body(body))

    session = boto3.Session("test", "test", region_name="us-east-1")
    client: Any = session.client(service, endpoint_url="http://127.0.0.1:9", config=Config(**options))  # type: ignore[call-overload]
    client.meta.events.register("before-send", respond)
    return client, sent


def test_attempts_are_requests_and_messages_are_entries() -> None:
    """A batch of three that is throttled once: two requests, three entries."""
    counted: dict[tuple[str, str], list[int]] = {}
    responses = iter([(503, b"{}"), (200, b"{}")])

    def count(service: str, operation: str, requests: int, entries: int) -> None:
        total = counted.setdefault((service, operation), [0, 0])
        total[0] += requests
        total[1] += entries

    client, _ = _client("sqs", responses, retries={"mode": "standard", "total_max_attempts": 2})
    count_requests(client, count)

    client.delete_message_batch(
        QueueUrl="http://127.0.0.1:9/1/q", Entries=[{"Id": str(number), "ReceiptHandle": "r"} for number in range(3)]
    )

    assert counted == {("sqs", "DeleteMessageBatch"): [2, 3]}

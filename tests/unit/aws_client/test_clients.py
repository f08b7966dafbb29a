"""Clients: requests with low overhead are equal to the usual ones, and every attempt is counted."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.awsrequest
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from orderboard_aws_client.clients import LOW_OVERHEAD_CONFIG, count_requests, encode_forms_once

_ENTRIES: Any = [
    {
        "Id": "0",
        "Message": json.dumps({"note": "crème brûlée & 50% off + tea"}, ensure_ascii=False),
        "MessageAttributes": {"priority": {"DataType": "String", "StringValue": "normal"}},
    }
]


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


def _published(*, tuned: bool) -> AWSPreparedRequest:
    """The request that publishes one message."""
    body = b"<PublishBatchResponse><PublishBatchResult/></PublishBatchResponse>"
    client, sent = _client("sns", iter([(200, body)]), **(LOW_OVERHEAD_CONFIG if tuned else {}))
    if tuned:
        encode_forms_once(client)
    client.publish_batch(TopicArn="arn:aws:sns:us-east-1:000000000000:orders", PublishBatchRequestEntries=_ENTRIES)
    return sent[0]


def test_a_tuned_client_sends_the_same_form() -> None:
    """Body, type and length are those of an untuned client, and the request is signed."""
    usual, tuned = _published(tuned=False), _published(tuned=True)

    assert isinstance(usual.body, str)
    assert tuned.body == usual.body.encode()
    for name in ("Content-Type", "Content-Length"):
        assert tuned.headers[name] == usual.headers[name]
    assert b"AWS4-HMAC-SHA256" in tuned.headers["Authorization"]


def test_a_form_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither signing nor sending leaves botocore a form to encode."""
    encoded: list[object] = []

    def encode(form: object, **_: Any) -> str:
        encoded.append(form)
        return ""

    monkeypatch.setattr(botocore.awsrequest, "urlencode", encode)

    _published(tuned=True)

    assert encoded == []


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

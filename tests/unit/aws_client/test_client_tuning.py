"""What a lean client leaves out, AWS does not miss."""

import json
from typing import Any

import boto3
import botocore.awsrequest
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from orderboard_aws_client.client_tuning import LOW_OVERHEAD_CONFIG, encode_forms_once

_ENTRIES: Any = [
    {
        "Id": "0",
        "Message": json.dumps({"note": "crème brûlée & 50% off + tea"}, ensure_ascii=False),
        "MessageAttributes": {"priority": {"DataType": "String", "StringValue": "normal"}},
    }
]


class _Raw:
    """A body as urllib3 gives it: an answer that says nothing."""

    def stream(self, **_: Any) -> list[bytes]:
        """All at once."""
        return [b"<PublishBatchResponse><PublishBatchResult/></PublishBatchResponse>"]


def _sent(*, lean: bool) -> AWSPreparedRequest:
    """The request with which one message is published."""
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse("", 200, HTTPHeaders(), _Raw())

    options: Any = LOW_OVERHEAD_CONFIG if lean else {}
    client = boto3.Session("test", "test", region_name="us-east-1").client(
        "sns", endpoint_url="http://127.0.0.1:9", config=Config(**options)
    )
    if lean:
        encode_forms_once(client)
    client.meta.events.register("before-send", answer)  # type: ignore[arg-type]
    client.publish_batch(TopicArn="arn:aws:sns:us-east-1:000000000000:orders", PublishBatchRequestEntries=_ENTRIES)
    return sent[0]


def test_a_lean_client_sends_the_same_form() -> None:
    """Body, type and length are what botocore makes of itself, and the request is signed."""
    usual, lean = _sent(lean=False), _sent(lean=True)

    assert isinstance(usual.body, str)
    assert lean.body == usual.body.encode()
    for name in ("Content-Type", "Content-Length"):
        assert lean.headers[name] == usual.headers[name]
    assert b"AWS4-HMAC-SHA256" in lean.headers["Authorization"]


def test_a_form_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither signing nor sending leaves botocore a form to encode."""
    encoded: list[object] = []

    def encode(form: object, **_: Any) -> str:
        encoded.append(form)
        return ""

    monkeypatch.setattr(botocore.awsrequest, "urlencode", encode)

    _sent(lean=True)

    assert encoded == []

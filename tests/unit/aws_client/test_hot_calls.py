"""Hot calls: what they send and return is what aiobotocore would, and every failure is aiobotocore's to handle."""

import asyncio
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

import botocore.auth
import pytest
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.config import AioConfig
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st
from orderboard_aws_client.clients import open_clients
from orderboard_aws_client.errors import AWS_ERRORS
from orderboard_aws_client.wire_format import (
    json_request,
    json_response,
    publish_batch_request,
    publish_batch_response,
    same_document,
)

ODD_TEXT = 'crème brûlée & 50% off + "tea" {=/?;~*\\\n\U0001f600}'
QUEUE = "http://127.0.0.1:9/000000000000/q"
PUT: Mapping[str, Any] = {
    "Entries": [{"EventBusName": "b", "Source": "s", "DetailType": "d", "Detail": json.dumps({"note": ODD_TEXT})}]
}
PUBLISH: Mapping[str, Any] = {
    "TopicArn": "arn:aws:sns:us-east-1:000000000000:orders",
    "PublishBatchRequestEntries": [
        {
            "Id": str(number),
            "Message": ODD_TEXT * number,
            "MessageAttributes": {"a b": {"DataType": "String", "StringValue": ODD_TEXT}},
        }
        for number in range(3)
    ],
}
CALLS: Mapping[str, tuple[str, str, Mapping[str, Any], bytes]] = {
    "publish_batch": (
        "sns",
        "PublishBatch",
        PUBLISH,
        b'<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Failed/>'
        b"<Successful><member><Id>0</Id><MessageId>m0</MessageId></member></Successful></PublishBatchResult>"
        b"</PublishBatchResponse>",
    ),
    "put_events": ("events", "PutEvents", PUT, b'{"FailedEntryCount":0,"Entries":[{"EventId":"e"}]}'),
    "receive_message": (
        "sqs",
        "ReceiveMessage",
        {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]},
        b'{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"\\u00e9","Attributes":{"SentTimestamp":"1"}}]}',
    ),
    "delete_message_batch": (
        "sqs",
        "DeleteMessageBatch",
        {"QueueUrl": QUEUE, "Entries": [{"Id": "0", "ReceiptHandle": ODD_TEXT}]},
        b'{"Successful":[{"Id":"0"}],"Failed":null}',
    ),
    "change_message_visibility_batch": (
        "sqs",
        "ChangeMessageVisibilityBatch",
        {"QueueUrl": QUEUE, "Entries": [{"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": 0}]},
        b'{"Failed":[{"Id":"0","Code":"ReceiptHandleIsInvalid","SenderFault":true}]}',
    ),
    "batch_execute_statement": (
        "dynamodb",
        "BatchExecuteStatement",
        {"Statements": [{"Statement": 'SELECT * FROM "t" WHERE k = ?', "Parameters": [{"S": ODD_TEXT}, {"N": "1"}]}]},
        b'{"Responses":[{"TableName":"t","Item":{"k":{"S":"v"},"raw":{"B":"AAE="}}}]}',
    ),
}
EVERY_CALL = pytest.mark.parametrize("method", CALLS)


class FakeSession:
    """An HTTP session: responds with the next of `outcomes`, or with 200 and `body`."""

    def __init__(self, **_: Any) -> None:
        self.sent: list[AWSPreparedRequest] = []
        self.outcomes: list[Exception | tuple[int, bytes, dict[str, str]]] = []
        self.body = b"{}"
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> "FakeSession":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def send(self, request: AWSPreparedRequest) -> Any:
        """Respond."""
        self.sent.append(request)
        self.arrived.set()
        outcome = self.outcomes.pop(0) if self.outcomes else (200, self.body, {})
        await asyncio.sleep(0)
        if isinstance(outcome, Exception):
            raise outcome
        status, body, headers = outcome
        response: Any = AioAWSResponse(request.url, status, cast("Any", headers), None)
        response._content = body
        return response


class Rig:
    """A client for the service of a call, its HTTP session, and the counted requests and entries."""

    def __init__(self, client: Any, method: str) -> None:
        self.client, self.session = client, client._endpoint.http_session
        self.service, self.operation, self.parameters, self.session.body = CALLS[method]
        self.call = getattr(client, method)
        self.counted = [0, 0]
        self.counted_as: set[tuple[str, str]] = set()

    async def __call__(self) -> Any:
        """Make the call."""
        return await self.call(**self.parameters)

    @property
    def is_hot(self) -> bool:
        """True if the next call is sent from a template."""
        return self.call._template is not None


async def outcome_of(made: Rig) -> Any:
    """Return the result or the exception of a call."""
    try:
        return await made()
    except AWS_ERRORS as exc:
        return exc


@asynccontextmanager
async def rig(method: str, **config: Any) -> AsyncIterator[Rig]:
    """Open a client that has learned nothing."""
    made: list[Rig] = []

    def count(service: str, operation: str, requests: int, entries: int) -> None:
        made[0].counted_as.add((service, operation))
        made[0].counted = [made[0].counted[0] + requests, made[0].counted[1] + entries]

    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    options = AioConfig(http_session_cls=cast("Any", FakeSession), retries=retries, **config)
    async with open_clients({CALLS[method][0]: options}, count) as (client,):
        made.append(Rig(client, method))
        yield made[0]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a region, credentials and an endpoint, and let retries wait no time."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def comparable(request: AWSPreparedRequest) -> tuple[str, str, Any, dict[str, str]]:
    """Return what must be equal in two requests, whenever they are sent."""
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    for name in ("x-amz-date", "authorization", "amz-sdk-invocation-id", "content-length"):
        headers.pop(name, None)
    body: Any = request.body.encode() if isinstance(request.body, str) else request.body
    return request.method, request.url, json.loads(body) if body.startswith(b"{") else body, headers


def assert_signed(
    request: AWSPreparedRequest, service: str, monkeypatch: pytest.MonkeyPatch, token: str | None = None
) -> None:
    """botocore's signer gives the same Authorization for this request at its time."""
    headers = dict(request.headers)
    date, authorization = headers.pop("X-Amz-Date"), headers.pop("Authorization")
    now = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = {name: value for name, value in headers.items() if name.lower() in names}
    again = AWSRequest("POST", request.url, signed, request.body)
    SigV4Auth(ReadOnlyCredentials("AKIDEXAMPLE", "secret", token), service, "eu-central-1").add_auth(again)
    assert again.headers["Authorization"] == authorization


@EVERY_CALL
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "https://aws.test", None])
@pytest.mark.parametrize("token", ["t/o+k=en{}", None])
async def test_a_hot_call_is_the_usual_call(
    method: str, endpoint: str | None, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call sends the first one's request, signed for its time, and returns the same."""
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    else:
        monkeypatch.delenv("AWS_ENDPOINT_URL")

    async with rig(method) as made:
        usual = await made()
        assert made.is_hot
        hot = await made()

        first, second = made.session.sent
        assert comparable(first) == comparable(second)
        assert_signed(second, made.service, monkeypatch, token)
        assert first.headers["amz-sdk-invocation-id"] != second.headers["amz-sdk-invocation-id"]
        del usual["ResponseMetadata"]
        assert {name: hot[name] for name in hot if name != "ResponseMetadata"} == usual
        entries = len(made.parameters.get("Entries") or made.parameters.get("PublishBatchRequestEntries") or [0])
        assert made.counted == [2, 2 * entries]
        assert len(made.counted_as) == 1  # the hot call has the name of the usual one


@EVERY_CALL
async def test_the_first_failure_is_retried_by_botocore(method: str) -> None:
    """A server error, a broken connection, a timeout: each is one more request, and none is an error."""
    failures: list[Any] = [
        (503, b"", {}),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1:9"),
    ]

    async with rig(method) as made:
        usual = await made()
        for failure in failures:
            made.session.outcomes = [failure]
            assert {**await made(), "ResponseMetadata": 0} == {**usual, "ResponseMetadata": 0}

        assert len(made.session.sent) == made.counted[0] == 1 + 2 * len(failures)
        attempts = [request.headers["amz-sdk-request"] for request in made.session.sent]
        assert [str(each).partition(";")[0].strip("b'") for each in attempts] == ["attempt=1"] + 3 * [
            "attempt=1",
            "attempt=2",
        ]


@EVERY_CALL
@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param((400, b'{"__type":"com.amazonaws#AccessDenied","message":"no"}', {}), id="an error"),
        pytest.param((500, b"<html>", {}), id="a proxy's page"),
        pytest.param((200, b"<html", {}), id="neither JSON nor XML"),
        pytest.param(ConnectionResetError(104, "reset"), id="a reset connection"),
    ],
)
async def test_errors_are_those_of_botocore(method: str, outcome: Any) -> None:
    """A lasting failure raises the same on either way."""
    async with rig(method) as usual:
        usual.session.outcomes = [outcome, outcome]
        expected = await outcome_of(usual)
    async with rig(method) as made:
        await made()
        made.session.outcomes = [outcome, outcome]
        found = await outcome_of(made)

    if isinstance(expected, BaseException):
        assert (type(found).__name__, str(found)) == (type(expected).__name__, str(expected))
    else:
        assert {**found, "ResponseMetadata": 0} == {**expected, "ResponseMetadata": 0}
    assert len(made.session.sent) - 1 == len(usual.session.sent)


async def test_a_wrong_checksum_of_dynamodb_is_retried() -> None:
    """A body that differs from its CRC is not returned; one that agrees is."""
    async with rig("batch_execute_statement") as made:
        usual = await made()
        right = {"x-amz-crc32": str(binascii.crc32(made.session.body))}
        made.session.outcomes = [(200, b"{}", {"x-amz-crc32": "1"}), (200, made.session.body, right)]

        assert (await made())["Responses"] == usual["Responses"]
        assert len(made.session.sent) == 3


async def test_other_credentials_are_learned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refresh the next request is botocore's, with the new key, and so are the ones after it."""
    async with rig("put_events") as made:
        await made()
        credentials = made.call._credentials
        credentials.access_key, credentials.secret_key, credentials.token = "AKIDOTHER", "other", "new"

        for _ in range(3):
            await made()

        for request in made.session.sent[1:]:
            assert "Credential=AKIDOTHER/" in str(request.headers["Authorization"])
            assert request.headers["X-Amz-Security-Token"] in ("new", b"new")
        assert made.is_hot


@pytest.mark.parametrize(
    ("variables", "config"),
    [
        pytest.param({"AWS_ENDPOINT_URL": "http://127.0.0.1:9/path"}, {}, id="an endpoint with a path"),
        pytest.param({"_X_AMZN_TRACE_ID": "Root=1", "AWS_LAMBDA_FUNCTION_NAME": "f"}, {}, id="in a function"),
    ],
)
async def test_what_no_template_covers_stays_usual(
    variables: dict[str, str], config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call works, and is botocore's."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    async with rig("put_events", **config) as made:
        results = [await made() for _ in range(8)]

        assert not made.is_hot
        assert all(result["Entries"] == [{"EventId": "e"}] for result in results)
        assert made.counted == [8, 8]


async def test_parameters_that_no_template_covers_go_the_usual_way() -> None:
    """Blobs and a global endpoint's id are botocore's to encode; the template stays."""
    async with rig("publish_batch") as made:
        await made()
        entry = {"Id": "0", "Message": "m", "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\0"}}}

        await made.call(TopicArn="t", PublishBatchRequestEntries=[entry])

        assert "BinaryValue=AA%3D%3D" in made.session.sent[1].body
        assert made.is_hot


async def test_the_retry_quota_fills_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Successes after failures are reported to botocore's quota: failures do not use it up for good."""
    async with rig("put_events") as made:
        await made()
        for _ in range(120):  # more than the quota has
            made.session.outcomes = [(503, b"", {}), (503, b"", {})]
            with pytest.raises(ClientError):
                await made()
        made.session.outcomes = []
        for _ in range(500):
            await made()
        made.session.outcomes = [(503, b"", {})]

        assert (await made())["Entries"] == [{"EventId": "e"}]


async def test_a_cancelled_call_is_cancelled() -> None:
    """Nothing is retried, and the next call works."""
    async with rig("put_events") as made:
        await made()
        made.session.arrived.clear()
        call = asyncio.create_task(made())
        await made.session.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert (await made())["Entries"] == [{"EventId": "e"}]
        assert len(made.session.sent) == 3


def model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


MODELS = {service: model(service) for service in ("sns", "events", "sqs")}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
bus_entries = st.fixed_dictionaries({"EventBusName": texts, "Source": texts}, optional={"Detail": texts})
messages = st.builds(
    lambda number, message, values: {
        "Id": number,
        "Message": message,
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in values.items()},
    },
    texts,
    texts,
    st.dictionaries(texts, texts, max_size=3),
)


@given(entries=st.lists(bus_entries, max_size=3))
def test_json_is_botocores(entries: list[dict[str, str]]) -> None:
    """The same document, without its spaces and escapes."""
    operation = MODELS["events"].operation_model("PutEvents")

    usual = create_serializer("json", include_validation=False).serialize_to_request({"Entries": entries}, operation)

    body = json_request({"Entries": entries})

    assert body is not None
    assert same_document(body, usual["body"])
    assert json.loads(body) == json.loads(usual["body"])


@given(arn=texts, entries=st.lists(messages, max_size=3))
def test_the_form_is_botocores(arn: str, entries: list[dict[str, Any]]) -> None:
    """Byte for byte, or left to botocore, as a batch without entries."""
    parameters = {"TopicArn": arn, "PublishBatchRequestEntries": entries}
    operation = MODELS["sns"].operation_model("PublishBatch")
    usual = create_serializer("query", include_validation=False).serialize_to_request(parameters, operation)

    form = publish_batch_request(parameters)

    if entries and all(entry["MessageAttributes"] for entry in entries):
        assert form is not None
    assert form in (None, urlencode(usual["body"], doseq=True).encode())


@given(names=st.lists(st.tuples(texts, texts), max_size=3))
def test_a_decoded_response_is_botocores(names: list[tuple[str, str]]) -> None:
    """Either way reads the same from JSON."""
    answered = {"Messages": [{"MessageId": one, "Body": two, "Attributes": {one: two}} for one, two in names]}
    content = json.dumps(answered).encode()
    shape: Any = MODELS["sqs"].operation_model("ReceiveMessage").output_shape
    usual = create_parser("json").parse({"headers": {}, "status_code": 200, "body": content}, shape)

    decoded = json_response(content)

    assert decoded is None or {**decoded, "ResponseMetadata": 0} == {**usual, "ResponseMetadata": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"<PublishBatchResponse/>",
        CALLS["publish_batch"][3].replace(b"<Failed/>", b"<Failed><member><Id>1</Id></member></Failed>"),
        CALLS["publish_batch"][3].replace(b"sns.amazonaws.com", b"other.test"),
    ],
)
def test_another_response_of_publish_batch_is_botocores(content: bytes) -> None:
    """Failed entries and unknown documents are left to its parser."""
    assert publish_batch_response(content) is None

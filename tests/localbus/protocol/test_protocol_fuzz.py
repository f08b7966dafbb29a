"""Any request gets a client error at most: no 500, no hang, and the next request is answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer
from localbus.protocol.service import Caller
from localbus.sqs.api import ACTIONS

URL = "http://localhost/000000000000/q"
FIFO_URL = "http://localhost/000000000000/q.fifo"
MEMBERS = sorted({
    "QueueUrl", "QueueName", "MessageBody", "Entries", "Id", "ReceiptHandle", "VisibilityTimeout", "Attributes", "tags",
    "Tags", "TagKeys", "AttributeNames", "MessageAttributeNames", "MessageSystemAttributeNames", "MessageAttributes",
    "MessageSystemAttributes", "DataType", "StringValue", "BinaryValue", "DelaySeconds", "MessageGroupId",
    "MessageDeduplicationId", "MaxNumberOfMessages", "ReceiveRequestAttemptId", "MaxResults", "NextToken", "Label",
    "AWSAccountIds", "Actions", "SourceArn", "DestinationArn", "TaskHandle", "MaxNumberOfMessagesPerSecond", "Policy",
    "RedrivePolicy", "RedriveAllowPolicy", "FifoQueue", "AWSTraceHeader", "x",
})  # fmt: skip
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [URL, FIFO_URL, "q", "q.fifo", "All", "true", "", "{}", "[]", "\ud800", "\x00", "eHg=", "String", "a"]
    ),
    st.sampled_from(['{"deadLetterTargetArn": 5, "maxReceiveCount": {}}', '{"Statement": 5}', '{"Statement": [5]}']),
    st.sampled_from(["arn:aws:sqs:us-east-1:000000000000:q", "AQEBeA==", "AQEBYS9iLzE="]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)),
    max_leaves=12,
)
documents = st.dictionaries(st.sampled_from(MEMBERS), values, max_size=6)
targets = st.sampled_from([*ACTIONS, "", "Nonsense"])


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine with a queue of each type, for all examples."""
    engine = Engine(Options(), ManualClock())
    engine.sqs.queues.create("q", {}, {}, Caller())
    engine.sqs.queues.create("q.fifo", {"FifoQueue": "true"}, {}, Caller())
    return engine


async def answer(engine: Engine, request: Request) -> Response:
    """Return the response; a waiting receive waits until its time is over."""
    response = engine.router.handle(request)
    if isinstance(response, Response):
        return response
    task = asyncio.ensure_future(response)
    await asyncio.sleep(0)
    assert isinstance(engine.clock, ManualClock)
    engine.clock.advance(20)
    return await asyncio.wait_for(task, 5)


_fuzz = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_fuzz
@given(action=targets, document=documents, queue=st.sampled_from([None, URL, FIFO_URL]))
def test_any_json(engine: Engine, action: str, document: dict[str, Any], queue: str | None) -> None:
    """A JSON request of any content is answered without a 500."""
    if queue:
        document["QueueUrl"] = queue
    body = json.dumps(document).encode()

    response = asyncio.run(
        answer(engine, Request("POST", "/", {b"x-amz-target": f"AmazonSQS.{action}".encode()}, [], body))
    )

    assert response.status < 500, response.body
    assert isinstance(response.body, bytes)
    json.loads(response.body or b"{}")


names = st.lists(
    st.sampled_from([*MEMBERS, "1", "2", "Attribute", "Value", "Name", "Key", "Tag"]), min_size=1, max_size=5
)


@_fuzz
@given(action=targets, pairs=st.lists(st.tuples(names, st.text(max_size=10)), max_size=6), queue=st.booleans())
def test_any_form(engine: Engine, action: str, pairs: list[tuple[list[str], str]], queue: bool) -> None:
    """A form of any content is answered without a 500."""
    form = {".".join(parts): value for parts, value in pairs} | {"Action": action, "Version": "2012-11-05"}
    form |= {"QueueUrl": URL} if queue else {}
    body = urlencode(form, errors="replace").encode()
    headers = {b"content-type": b"application/x-www-form-urlencoded"}

    response = asyncio.run(answer(engine, Request("POST", "/", headers, [], body)))

    assert response.status < 500 or b"Start it with --upstream" in cast(bytes, response.body), response.body


@_fuzz
@given(target=st.text(max_size=30), headers=st.dictionaries(st.binary(max_size=15), st.binary(max_size=40), max_size=4))
def test_any_target_and_headers(engine: Engine, target: str, headers: dict[bytes, bytes]) -> None:
    """Nonsense in the address or the headers gets an error."""
    response = asyncio.run(answer(engine, Request("POST", f"/{target}", headers, [], b"")))

    assert response.status in {400, 403, 404, 501}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda method, path, headers, body: method + b" " + path + b" HTTP/1.1\r\n" + headers + b"\r\n" + body,
            st.sampled_from([b"GET", b"POST", b"BREW", b"CONNECT", b""]),
            st.binary(max_size=20),
            st.sampled_from(
                [
                    b"",
                    b"Content-Length: -1\r\n",
                    b"Content-Length: 5\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                    b"Upgrade: x\r\nConnection: upgrade\r\n",
                    b"Expect: 100-continue\r\n",
                    b": x\r\n",
                    b"a" * 70_000 + b": b\r\n",
                ]
            ),
            st.sampled_from([b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n"]),
        ),
    )
)
def test_any_bytes(engine: Engine, noise: bytes) -> None:
    """Bytes of any kind do not stop the server: it answers or disconnects, and serves the next client."""

    async def scene() -> bytes:
        server = HttpServer(engine.router)
        port = await server.start("127.0.0.1", 0)
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(noise)
                writer.write_eof()
                first = await reader.read()
                assert b"HTTP/1.1 500" not in first
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /_localbus/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                second = await reader.read()
                writer.close()
                return second
        finally:
            await server.stop()

    assert asyncio.run(scene()).startswith(b"HTTP/1.1 200")

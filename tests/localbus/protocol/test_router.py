"""Routing of requests: to services, to the upstream, or to an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from localbus.engine import Engine, Options
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer
from localbus.protocol.service import Caller
from localbus.pytest_plugin import Localbus
from localbus.sqs.message import Message
from support.waiting import eventually


def call(localbus: Localbus, target: str, body: str = "{}") -> httpx.Response:
    """Send a JSON request."""
    return httpx.post(localbus.url, content=body, headers={"X-Amz-Target": target})


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("SendMassage", "{}", 404, "UnknownOperationException"),
        ("CreateQueue", "{", 400, "SerializationException"),
        ("CreateQueue", "[]", 400, "SerializationException"),
        ("CreateQueue", '"text"', 400, "SerializationException"),
        ("CreateQueue", '{"QueueName": 5}', 400, "SerializationException"),
        ("CreateQueue", '{"QueueName": "q", "Attributes": ["x"]}', 400, "SerializationException"),
    ],
)
def test_invalid_json_requests(localbus: Localbus, action: str, body: str, status: int, code: str) -> None:
    """An unknown action, a body that is not JSON, and a value of another type have the framework's errors."""
    answer = call(localbus, f"AmazonSQS.{action}", body)

    assert answer.status_code == status
    assert answer.json()["__type"] == f"com.amazon.coral.service#{code}"


def test_a_missing_member(localbus: Localbus) -> None:
    """The error names the member, and carries the older protocol's code in a header."""
    answer = call(localbus, "AmazonSQS.SendMessage", '{"MessageBody": "b"}')

    assert answer.json()["message"] == "The request must contain the parameter QueueUrl."
    assert answer.headers["x-amzn-query-error"] == "MissingParameter;Sender"
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    "call",
    [
        "iam.list_users",
        "s3.list_buckets",
        "lambda.list_functions",
        "stepfunctions.list_state_machines",
        "logs.describe_log_groups",
    ],
)
def test_without_an_upstream_other_services_are_rejected(localbus: Localbus, call: str) -> None:
    """Requests for other services get an error in their protocol, never an empty success."""
    service, action = call.split(".")
    client = localbus.client(service, config=Config(retries={"max_attempts": 0}))

    with pytest.raises(ClientError) as raised:
        getattr(client, action)()

    error = raised.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error["Error"]["Code"] == "NotImplemented"
    assert "--upstream" in error["Error"]["Message"]


def test_other_addresses(localbus: Localbus) -> None:
    """A browser at a wrong address learns what this is; at the root it gets the list of routes."""
    lost = httpx.get(f"{localbus.url}/favicon.ico")
    root = httpx.get(localbus.url)

    assert lost.status_code == 404
    assert "/_localbus/" in lost.text
    assert "/_localbus/journal" in root.text


class Echo:
    """An upstream that returns the request's body, piece by piece."""

    def wants_stream(self, request: Request) -> bool:
        """Handle every request before its body."""
        return True

    def handle(self, request: Request) -> Response:
        """Return path, host and body."""
        headers = [(b"X-Path", request.target.encode()), (b"X-Host", request.headers[b"host"])]
        return Response(203, headers, self._pieces(request))

    async def _pieces(self, request: Request) -> AsyncGenerator[bytes]:
        async for piece in request.stream or _nothing():
            yield piece


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


@asynccontextmanager
async def engine_with_upstream(app: Echo) -> AsyncIterator[str]:
    """An engine with this upstream."""
    upstream = HttpServer(app)
    port = await upstream.start("127.0.0.1", 0)
    engine = Engine(Options(upstream=f"http://127.0.0.1:{port}"))
    try:
        yield await engine.start()
    finally:
        await engine.stop()
        await upstream.stop()


async def test_other_services_go_upstream_and_back() -> None:
    """Path, host, status and a body of several megabytes pass through unchanged, sized or in chunks."""
    body = bytes(range(256)) * 16_384

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    async with engine_with_upstream(Echo()) as url, httpx.AsyncClient() as client:
        sized = await client.put(f"{url}/bucket/a%20key?x=1", content=body, headers={"Expect": "100-continue"})
        chunked = await client.put(f"{url}/bucket/key", content=chunks(), headers={"Host": "b.s3.example"})

    assert sized.status_code == 203
    assert sized.headers["x-path"] == "/bucket/a%20key?x=1"
    assert sized.content == body
    assert chunked.content == body
    assert chunked.headers["x-host"] == "b.s3.example"


class Scripted(Echo):
    """An upstream whose response depends on the path."""

    def handle(self, request: Request) -> Response:
        """No content, an error before the body is read, or a response that breaks off."""
        match request.path:
            case "/none":
                return Response(204, [(b"X-Kept", b"yes")])
            case "/reject":
                return Response(403, [], b"no")
            case "/head":
                return Response(200, [(b"Content-Length", b"1000")], _nothing_more(b""))
        return Response(200, [(b"Content-Length", b"1000")], _nothing_more(b"only this"))


async def _nothing_more(piece: bytes) -> AsyncGenerator[bytes]:
    yield piece
    if piece:
        raise ConnectionResetError


async def test_unusual_responses_of_the_upstream() -> None:
    """No content stays none, an early error is not lost, and a response that breaks off does not look whole."""
    async with engine_with_upstream(Scripted()) as url, httpx.AsyncClient() as client:
        none = await client.delete(f"{url}/none")
        head = await client.head(f"{url}/head")
        rejected = await client.put(f"{url}/reject", content=b"x" * 3_000_000)
        with pytest.raises(httpx.HTTPError):
            await client.get(f"{url}/break")
        again = await client.delete(f"{url}/none")

    assert (none.status_code, none.content, none.headers["x-kept"]) == (204, b"", "yes")
    assert "transfer-encoding" not in none.headers
    assert head.headers["content-length"] == "1000"
    assert (rejected.status_code, rejected.text) == (403, "no")
    assert again.status_code == 204


async def test_a_client_that_disconnects_takes_no_message() -> None:
    """The long poll of a disconnected client ends, and the next message stays for others."""
    engine = Engine(Options())
    url = await engine.start()
    host, port = url.removeprefix("http://").split(":")
    record = engine.sqs.queues.create("q", {}, {}, Caller())
    body = b'{"QueueUrl": "%b/000000000000/q", "WaitTimeSeconds": 20}' % url.encode()
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    polls = vars(record.queue)["_polls"]
    await eventually(lambda: len(polls) == 1)

    writer.close()
    await eventually(lambda: not polls)

    record.queue.send(Message("m", "m"))
    assert record.queue.counts().visible == 1
    await engine.stop()


async def test_an_unreachable_upstream() -> None:
    """The response is a 502 with the reason."""
    engine = Engine(Options(upstream="http://127.0.0.1:9"))
    url = await engine.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/bucket")
    await engine.stop()

    assert answer.status_code == 502
    assert "cannot be reached" in answer.text


async def test_many_requests_at_once_on_one_connection() -> None:
    """Pipelined requests are answered in order."""
    engine = Engine(Options())
    url = await engine.start()
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(b"".join(b"GET /_localbus/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(50)))
    answers = [await _read(reader) for _ in range(50)]

    assert [b"Unknown route /_localbus/%d." % number in answer for number, answer in enumerate(answers)] == [True] * 50
    writer.close()
    await engine.stop()


class FullTransport(asyncio.Transport):
    """A connection whose client does not read: every response fills it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self.reads = True
        self.protocol: asyncio.Protocol | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Count the response, and report a full buffer."""
        self.answers += 1
        assert self.protocol is not None
        self.protocol.pause_writing()

    def is_closing(self) -> bool:
        """Stay open."""
        return False

    def pause_reading(self) -> None:
        """Stop reading."""
        self.reads = False

    def resume_reading(self) -> None:
        """Read again."""
        self.reads = True


def test_a_client_that_does_not_read_is_not_read() -> None:
    """Responses do not pile up for a client that only sends: its requests wait until it has read."""
    transport = FullTransport()
    connection = transport.protocol = HttpServer(Engine(Options()).router).connection()
    connection.connection_made(transport)

    connection.data_received(b"GET /_localbus/ HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (transport.answers, transport.reads) == (1, False)
    connection.resume_writing()
    assert transport.reads


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)

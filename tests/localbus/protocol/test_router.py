"""Where a request goes, and what the port answers to one that is for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
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


def call(localbus: Localbus, target: str, body: str = "{}") -> httpx.Response:
    """Send a JSON request."""
    return httpx.post(localbus.url, content=body, headers={"X-Amz-Target": target})


def test_an_unknown_action(localbus: Localbus) -> None:
    """JSON has its own answer to an action that the service has not."""
    answer = call(localbus, "AmazonSQS.SendMassage")

    assert answer.status_code == 404
    assert answer.json()["__type"] == "com.amazon.coral.service#UnknownOperationException"


def test_what_is_not_json(localbus: Localbus) -> None:
    """A body that cannot be read is a SerializationException, and so is a value of another type."""
    for body in ("{", "[]", '"text"', '{"QueueName": 5}', '{"QueueName": "q", "Attributes": ["x"]}'):
        answer = call(localbus, "AmazonSQS.CreateQueue", body)
        assert answer.status_code == 400
        assert answer.json()["__type"] == "com.amazon.coral.service#SerializationException"


def test_a_missing_member(localbus: Localbus) -> None:
    """The error names the member, and carries the older protocol's code in a header."""
    answer = call(localbus, "AmazonSQS.SendMessage", '{"MessageBody": "b"}')

    assert answer.json()["message"] == "The request must contain the parameter QueueUrl."
    assert answer.headers["x-amzn-query-error"] == "MissingParameter;Sender"
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("sts", "get_caller_identity"),
        ("s3", "list_buckets"),
        ("lambda", "list_functions"),
        ("dynamodb", "list_tables"),
        ("cloudwatch", "list_metrics"),
    ],
)
def test_without_an_upstream_other_services_are_not_there(localbus: Localbus, service: str, action: str) -> None:
    """What is for no service of ours is refused in the words of its protocol, never answered with an empty success."""
    client = localbus.client(service, config=Config(retries={"max_attempts": 0}))

    with pytest.raises(ClientError) as raised:
        getattr(client, action)()

    error = raised.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error["Error"]["Code"] == "NotImplemented"
    assert "--upstream" in error["Error"]["Message"]


def test_what_is_for_nobody(localbus: Localbus) -> None:
    """A browser at the wrong address is told what this is; at the root it gets the list of pages."""
    lost = httpx.get(f"{localbus.url}/favicon.ico")
    root = httpx.get(localbus.url)

    assert lost.status_code == 404
    assert "/_localbus/" in lost.text
    assert "/_localbus/journal" in root.text


class Echo:
    """An upstream that sends back what it gets, piece by piece."""

    def wants_stream(self, request: Request) -> bool:
        """Take bodies as they come."""
        return True

    def handle(self, request: Request) -> Response:
        """Say what came."""
        headers = [(b"X-Path", request.target.encode()), (b"X-Host", request.headers[b"host"])]
        return Response(203, headers, self._pieces(request))

    async def _pieces(self, request: Request) -> AsyncGenerator[bytes]:
        async for piece in request.stream or _nothing():
            yield piece


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


@asynccontextmanager
async def engine_before(app: Echo) -> AsyncIterator[str]:
    """An engine whose upstream is this."""
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

    async with engine_before(Echo()) as url, httpx.AsyncClient() as client:
        sized = await client.put(f"{url}/bucket/a%20key?x=1", content=body, headers={"Expect": "100-continue"})
        chunked = await client.put(f"{url}/bucket/key", content=chunks(), headers={"Host": "b.s3.example"})

    assert sized.status_code == 203
    assert sized.headers["x-path"] == "/bucket/a%20key?x=1"
    assert sized.content == body
    assert chunked.content == body
    assert chunked.headers["x-host"] == "b.s3.example"


class Scripted(Echo):
    """An upstream that says what its path asks for."""

    def handle(self, request: Request) -> Response:
        """No content, a refusal before the body is read, or an answer that breaks off."""
        match request.path:
            case "/none":
                return Response(204, [(b"X-Kept", b"yes")])
            case "/refuse":
                return Response(403, [], b"no")
            case "/head":
                return Response(200, [(b"Content-Length", b"1000")], _nothing_more(b""))
        return Response(200, [(b"Content-Length", b"1000")], _nothing_more(b"only this"))


async def _nothing_more(piece: bytes) -> AsyncGenerator[bytes]:
    yield piece
    if piece:
        raise ConnectionResetError


async def test_upstream_s_unusual_answers_pass_through() -> None:
    """No content stays none, an early refusal is not lost, and an answer that breaks off does not look whole."""
    async with engine_before(Scripted()) as url, httpx.AsyncClient() as client:
        none = await client.delete(f"{url}/none")
        head = await client.head(f"{url}/head")
        refused = await client.put(f"{url}/refuse", content=b"x" * 3_000_000)
        with pytest.raises(httpx.HTTPError):
            await client.get(f"{url}/break")
        again = await client.delete(f"{url}/none")

    assert (none.status_code, none.content, none.headers["x-kept"]) == (204, b"", "yes")
    assert "transfer-encoding" not in none.headers
    assert head.headers["content-length"] == "1000"
    assert (refused.status_code, refused.text) == (403, "no")
    assert again.status_code == 204


async def test_an_upgrade_is_refused() -> None:
    """A client that insists on HTTP/2 is told, and its request is not done by half."""
    engine = Engine(Options())
    url = await engine.start()
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "X-Amz-Target": "AmazonSQS.CreateQueue"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=b'{"QueueName": "q"}', headers=headers)
    await engine.stop()

    assert answer.status_code == 501
    assert not list(engine.sqs.queues)


async def test_who_hangs_up_takes_no_message() -> None:
    """A long poll whose client has gone leaves the line, and the next message goes to the next client."""
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
    await eventually(lambda: len(polls) == 0)

    record.queue.send(Message("m", "m"))
    assert record.queue.counts().visible == 1
    await engine.stop()


async def eventually(holds: Callable[[], bool], within_s: float = 5) -> None:
    """Wait till it holds."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 (what is waited for tells nobody)
            await asyncio.sleep(0.01)


async def test_an_upstream_that_is_not_there() -> None:
    """It is said so, as a 502."""
    engine = Engine(Options(upstream="http://127.0.0.1:9"))
    url = await engine.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/bucket")
    await engine.stop()

    assert answer.status_code == 502
    assert "cannot be reached" in answer.text


async def test_many_requests_at_once_on_one_connection() -> None:
    """Requests that come before the last is answered are answered in their order."""
    engine = Engine(Options())
    url = await engine.start()
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(b"".join(b"GET /_localbus/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(50)))
    answers = [await _read(reader) for _ in range(50)]

    assert [b"Unknown page /_localbus/%d." % number in answer for number, answer in enumerate(answers)] == [True] * 50
    writer.close()
    await engine.stop()


class FullTransport(asyncio.Transport):
    """A connection whose client does not read: every answer is more than it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self.is_heard = True
        self.protocol: asyncio.Protocol | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold the answer, and say that it is too much."""
        self.answers += 1
        assert self.protocol is not None
        self.protocol.pause_writing()

    def is_closing(self) -> bool:
        """Never."""
        return False

    def pause_reading(self) -> None:
        """Hear no more."""
        self.is_heard = False

    def resume_reading(self) -> None:
        """Hear again."""
        self.is_heard = True


def test_who_does_not_read_is_not_heard() -> None:
    """Answers do not pile up for a client that sends and sends, until it has read those that there are."""
    transport = FullTransport()
    connection = transport.protocol = HttpServer(Engine(Options()).router).connection()
    connection.connection_made(transport)

    connection.data_received(b"GET /_localbus/ HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (transport.answers, transport.is_heard) == (1, False)
    connection.resume_writing()
    assert transport.is_heard


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)

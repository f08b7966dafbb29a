"""Connections of hot calls: the bytes that they send and read, and every way in which a connection can fail."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httptools
import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from localbus.http.tls import certificate_file, server_context
from orderboard_aws_client.clients import open_clients
from orderboard_aws_client.http_connections import Connections

Writer = asyncio.StreamWriter
Respond = Callable[[Writer], Awaitable[None]]

ENTRY: Final = {"EventBusName": "b", "Source": "s", "DetailType": "d", "Detail": '{"note": "crème"}'}
ANSWER: Final = b'{"FailedEntryCount":0,"Entries":[{"EventId":"e"}]}'
WHOLE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
_OF_EACH_REQUEST: Final = {"x-amz-date", "authorization", "amz-sdk-invocation-id", "content-length"}


class Request:
    """A request as it came, and the number of its connection."""

    def __init__(self, connection: int) -> None:
        self.connection = connection
        self.headers: dict[str, str] = {}
        self.body, self.complete = b"", False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body."""
        self.body += piece

    def on_message_complete(self) -> None:
        """End it."""
        self.complete = True


async def whole(writer: Writer) -> None:
    """Respond with success."""
    writer.write(WHOLE)


async def nothing(_: Writer) -> None:
    """Do not respond."""


class Server:
    """Responds to each request with the next of `responses`, then with success."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.responses: list[Respond] = []
        self.arrived = asyncio.Event()
        self.connections: list[Writer] = []

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """Serve a connection."""
        self.connections.append(writer)
        number = len(self.connections)
        while True:
            request = Request(number)
            parser = httptools.HttpRequestParser(request)
            while not request.complete:
                if not (data := await reader.read(1 << 16)):
                    writer.close()
                    return
                parser.feed_data(data)
            self.requests.append(request)
            self.arrived.set()
            await (self.responses.pop(0) if self.responses else whole)(writer)


@asynccontextmanager
async def calls(
    monkeypatch: pytest.MonkeyPatch, *, tls: ssl.SSLContext | None = None, **config: Any
) -> AsyncIterator[tuple[Server, Callable[[], Awaitable[Any]]]]:
    """A server, and PutEvents on it, whose next call is hot."""
    found = Server()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{'https' if tls else 'http'}://127.0.0.1:{port}")
    options = AioConfig(retries={"mode": "standard", "total_max_attempts": 2}, **config)
    async with server, open_clients({"events": options}, lambda *_: None) as (client,):

        async def put() -> Any:
            return (await client.put_events(Entries=[ENTRY]))["Entries"]

        await put()
        yield found, put


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a region and credentials, and let retries wait no time."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


async def test_requests_are_those_of_aiohttp_on_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every header but those of a single request is the same as in aiobotocore's, and the connection is kept."""
    async with calls(monkeypatch) as (server, put):
        assert await put() == await put() == [{"EventId": "e"}]

        usual, *hot = server.requests
        for request in hot:
            assert request.headers.keys() == usual.headers.keys()
            differing = {name for name in usual.headers if request.headers[name] != usual.headers[name]}
            assert differing <= _OF_EACH_REQUEST
            assert int(request.headers["content-length"]) == len(request.body)
        assert hot[0].connection == hot[1].connection != usual.connection


async def in_pieces(writer: Writer) -> None:
    """Respond byte by byte."""
    for byte in WHOLE:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)


async def chunked(writer: Writer) -> None:
    """Respond without a length."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (7, ANSWER[:7], len(ANSWER) - 7, ANSWER[7:]))


@pytest.mark.parametrize("respond", [in_pieces, chunked])
async def test_a_response_is_read_to_its_end(respond: Respond, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is cut, and the connection serves the next call."""
    async with calls(monkeypatch) as (server, put):
        server.responses = [respond]

        assert await put() == await put() == [{"EventId": "e"}]
        assert [request.connection for request in server.requests] == [1, 2, 2]


async def last(writer: Writer) -> None:
    """Respond, and announce the end of the connection."""
    writer.write(WHOLE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))


async def twice(writer: Writer) -> None:
    """Respond with more than was asked for."""
    writer.write(WHOLE + WHOLE)


@pytest.mark.parametrize("respond", [last, twice])
async def test_a_connection_that_ends_is_not_used_again(respond: Respond, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call succeeds at its first attempt."""
    async with calls(monkeypatch) as (server, put):
        server.responses = [respond]
        await put()

        assert await put() == [{"EventId": "e"}]
        assert [request.connection for request in server.requests] == [1, 2, 3]


async def cut_off(writer: Writer) -> None:
    """Respond with a part."""
    writer.write(WHOLE[:-5])
    writer.close()


async def close(writer: Writer) -> None:
    """Close without a response."""
    writer.close()


async def garbage(writer: Writer) -> None:
    """Respond with something else."""
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")


async def unavailable(writer: Writer) -> None:
    """Respond with a server error."""
    writer.write(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("respond", "failure"),
    [
        (cut_off, ConnectionClosedError),
        (close, ConnectionClosedError),
        (garbage, HTTPClientError),
        (nothing, ReadTimeoutError),
        (unavailable, ClientError),
    ],
)
async def test_a_failure_is_retried_by_botocore(
    respond: Respond, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failure is one more request; a lasting one raises as in botocore."""
    async with calls(monkeypatch, read_timeout=0.5) as (server, put):
        server.responses = [respond]
        assert await put() == [{"EventId": "e"}]
        assert len(server.requests) == 3

        server.responses = [respond, respond]
        with pytest.raises(failure):
            await put()


async def test_an_endpoint_that_does_not_listen_is_an_endpoint_error() -> None:
    """botocore retries it."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    server.close()

    with pytest.raises(EndpointConnectionError):
        await Connections(f"http://{host}:{port}/", connect_timeout_s=5, read_timeout_s=5, verify=None).post(b"")


async def test_the_response_to_a_cancelled_call_reaches_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is closed, for the response may still come."""
    async with calls(monkeypatch) as (server, put):
        server.responses = [nothing]
        server.arrived.clear()
        call = asyncio.ensure_future(put())
        await server.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert await put() == [{"EventId": "e"}]
        assert [request.connection for request in server.requests] == [1, 2, 3]


async def test_a_certificate_is_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the bundle that botocore uses; another one does not do."""
    server_side = server_context(tmp_path, frozenset())
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate_file(tmp_path)))

    async with calls(monkeypatch, tls=server_side) as (server, put):
        assert await put() == await put() == [{"EventId": "e"}]
        assert [request.connection for request in server.requests] == [1, 2, 2]

        url = os.environ["AWS_ENDPOINT_URL"]
        with pytest.raises(EndpointConnectionError):
            await Connections(url, connect_timeout_s=5, read_timeout_s=5, verify=True).post(b"")
        assert len(server.requests) == 3


async def test_a_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then every call is aiohttp's."""
    async with calls(monkeypatch) as (proxy, _):
        address = proxy.connections[0].get_extra_info("sockname")
        monkeypatch.setenv("http_proxy", f"http://{address[0]}:{address[1]}")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://aws.test")
        async with open_clients({"events": AioConfig()}, lambda *_: None) as (client,):
            for _ in range(3):
                await client.put_events(Entries=[ENTRY])

        assert [request.headers["host"] for request in proxy.requests[1:]] == 3 * ["aws.test"]

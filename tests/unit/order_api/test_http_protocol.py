"""The HTTP of order-api where it differs from uvicorn's; `make fuzz` found each of these."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from order_api.http_protocol import HttpProtocol
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from support.waiting import eventually

# As Java's HttpClient offers HTTP/2 with every request: https://docs.oracle.com/en/java/javase/21/docs/api/java.net.http/
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHg=\r\n"
ORDER = b"POST /orders HTTP/1.1\r\nHost: a\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with method, path, body and the values of a header; later if the body says so."""
    request = Request(scope, receive)
    body = (await request.body()).decode()
    if body == "wait":
        await asyncio.sleep(0.01)
    text = f"<{request.method} {request.url.path} {body}>{request.headers.getlist('x')}"
    await PlainTextResponse(text)(scope, receive, send)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server with this protocol."""
    server = uvicorn.Server(
        uvicorn.Config(echo, port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None, access_log=False)
    )
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, every_s=0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def exchanged(port: int, data: bytes, *, piece: int) -> str:
    """Send the data in pieces and the end of the input; return everything that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for start in range(0, len(data), piece):
        writer.write(data[start : start + piece])
        await writer.drain()
        await asyncio.sleep(0)  # the server reads this piece
    received = b""
    while b"|>" not in received and not received.endswith(b"received.") and (chunk := await reader.read(65536)):
        received += chunk
    writer.close()
    return received.decode()


@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize("offer", [H2C, WEBSOCKET, H2C.lower(), b""], ids=["h2c", "websocket", "lower case", "none"])
@pytest.mark.parametrize(
    "framed",
    [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"],
    ids=["length", "chunked"],
)
async def test_a_body_arrives_whatever_upgrade_is_offered(port: int, framed: bytes, offer: bytes, piece: int) -> None:
    """Also that of a second request on the connection, sent before the first response."""
    request = ORDER + offer + framed
    last = b"POST /last HTTP/1.1\r\nHost: a\r\n" + offer + b"Content-Length: 1\r\n\r\n|"

    received = await exchanged(port, request + request + last, piece=piece)

    assert received.count("HTTP/1.1 200 OK") == 3
    assert [part.partition(">")[0] for part in received.split("<")[1:]] == [
        "POST /orders hello",
        "POST /orders hello",
        "POST /last |",
    ]


async def test_a_request_without_a_body_may_offer_an_upgrade(port: int) -> None:
    """It is served by HTTP/1.1."""
    received = await exchanged(
        port, b"GET /orders HTTP/1.1\r\n" + H2C + b"\r\n" + ORDER + b"Content-Length: 1\r\n\r\n|", piece=9
    )

    assert "<GET /orders >" in received


@pytest.mark.parametrize("piece", [1, 100_000])
async def test_a_trailer_is_not_a_header(port: int, piece: int) -> None:
    """Else it could name another Idempotency-Key than the head."""
    request = ORDER + b"X: head\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: trailer\r\n\r\n"

    received = await exchanged(port, request + request + ORDER + b"Content-Length: 1\r\n\r\n|", piece=piece)

    assert received.count("<POST /orders a>['head']") == 2


@pytest.mark.parametrize("piece", [1, 100_000])
@pytest.mark.parametrize(
    "broken",
    [b" ", b"\x00", ORDER + b"Content-Length: x", ORDER + b"Transfer-Encoding: chunked\r\n\r\nz"],
    ids=["a space", "no request", "no length", "no chunk"],
)
async def test_whole_requests_are_answered_before_what_is_broken(port: int, broken: bytes, piece: int) -> None:
    """Each gets its own response: a 400 in its place would say that an order was refused that is published."""
    request = ORDER + b"Content-Length: 4\r\n\r\n"

    received = await exchanged(port, request + b"cafe" + request + b"wait" + broken, piece=piece)

    statuses = [part.partition("\r\n")[0] for part in received.split("HTTP/1.1 ")[1:]]
    assert statuses[:2] == ["200 OK", "200 OK"]
    assert statuses[2:] in ([], ["400 Bad Request"])
    assert [part.partition(">")[0] for part in received.split("<")[1:]] == ["POST /orders cafe", "POST /orders wait"]


@pytest.mark.parametrize("piece", [1, 100_000])
async def test_whitespace_around_a_header_is_not_a_part_of_it(port: int, piece: int) -> None:
    """Spaces and tabs, also where the value is empty; those within it stay."""
    request = ORDER + b"X: \ta \tb \t \r\nX: \t \r\nContent-Length: 1 \r\n\r\n|"

    assert "<POST /orders |>['a \\tb', '']" in await exchanged(port, request, piece=piece)


@pytest.mark.parametrize(
    "request_",
    [
        ORDER + H2C + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ORDER + H2C + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ORDER + H2C + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n" + H2C + b"\r\n",
    ],
    ids=["two lengths", "length and chunks", "no chunk", "CONNECT"],
)
async def test_an_upgrade_hides_no_broken_request(port: int, request_: bytes) -> None:
    """400, and the connection ends."""
    received = await exchanged(port, request_, piece=100_000)

    assert received.endswith("Invalid HTTP request received.")

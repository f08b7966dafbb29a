"""An offered upgrade, as Java's HttpClient sends one with every request: it is ignored, and the request answered."""

from __future__ import annotations

import asyncio

import pytest
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
POST = b"POST /orders HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"GET /end HTTP/1.1\r\nConnection: close\r\n\r\n"


class Echo:
    """Answers with method, target and body."""

    def wants_stream(self, _request: Request) -> bool:
        """No request is a stream."""
        return False

    def handle(self, request: Request) -> Response:
        """Answer at once."""
        return Response(200, [], b"<%b %b %b>" % (request.method.encode(), request.target.encode(), request.body))


async def answered(data: bytes, piece: int) -> bytes:
    """Send the data in pieces, and return all that comes until the server closes the connection."""
    server = HttpServer(Echo())
    reader, writer = await asyncio.open_connection("127.0.0.1", await server.start("127.0.0.1", 0))
    for start in range(0, len(data), piece):
        writer.write(data[start : start + piece])
        await writer.drain()
        await asyncio.sleep(0)  # the server reads this piece
    received = await reader.read()
    writer.close()
    await server.stop()
    return received


@pytest.mark.parametrize("piece", [1, 100_000])
@pytest.mark.parametrize(
    "framed",
    [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"],
    ids=["length", "chunked"],
)
async def test_a_request_that_offers_an_upgrade_is_answered(framed: bytes, piece: int) -> None:
    """So are the next ones on its connection, with the offer or without."""
    received = await answered((POST + H2C + framed) * 2 + POST + framed + CLOSE, piece)

    assert received.count(b"HTTP/1.1 200 OK") == 4
    assert received.count(b"<POST /orders hello>") == 3
    assert b"<GET /end >" in received


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + H2C + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"400"),
        (b"CONNECT a:1 HTTP/1.1\r\n" + H2C + b"\r\n", b"501"),
    ],
    ids=["two lengths", "CONNECT"],
)
async def test_an_upgrade_hides_no_broken_request(request_: bytes, status: bytes) -> None:
    """It is rejected, and the connection ends."""
    assert (await answered(request_, 100_000)).startswith(b"HTTP/1.1 " + status)

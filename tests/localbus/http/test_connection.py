"""Requests on one connection: offered upgrades, trailers, and broken requests after whole ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from localbus.http.message import Request, Response
from localbus.http.server import MAX_HEAD_BYTES, HttpServer

# As Java's HttpClient offers HTTP/2 with every request.
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
POST = b"POST /orders HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"GET /end HTTP/1.1\r\nConnection: close\r\n\r\n"


class Echo:
    """Answers with method, target, body and a header; what is sent to /later, later."""

    def wants_stream(self, _request: Request) -> bool:
        """No request is a stream."""
        return False

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer at once, or later."""
        parts = (request.method.encode(), request.target.encode(), request.body[-5:], request.header(b"x").encode())
        response = Response(200, [], b"<%b %b %b%b>" % parts)
        return self._later(response) if request.target == "/later" else response

    async def _later(self, response: Response) -> Response:
        await asyncio.sleep(0.01)
        return response


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


@pytest.mark.parametrize("piece", [1000, 1_000_000])
async def test_a_trailer_is_not_a_header(piece: int) -> None:
    """It is ignored after a body of any size: else it could name another action than the head."""
    body = b"%x\r\n%b\r\n0\r\nX: trailer\r\n\r\n" % (100_000, b"a" * 100_000)

    received = await answered(POST + b"X: head\r\nTransfer-Encoding: chunked\r\n\r\n" + body + CLOSE, piece)

    assert b"<POST /orders aaaaahead>" in received
    assert b"<GET /end >" in received


@pytest.mark.parametrize("piece", [40, 100_000])
@pytest.mark.parametrize("path", [b"/orders", b"/later"])
@pytest.mark.parametrize("broken", [b"\x00", POST + b"Content-Length: x", b"GET /" + b"x" * MAX_HEAD_BYTES], ids=len)
async def test_whole_requests_are_answered_before_what_is_broken(broken: bytes, path: bytes, piece: int) -> None:
    """Each gets its own answer, with --data too, where answers wait for the commit."""
    request = b"POST %b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" % path

    received = await answered(request + request + broken, piece)

    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses[:2] == [b"200", b"200"]
    assert statuses[2] in {b"400", b"431"}
    assert received.count(b"<POST %b hello>" % path) == 2

"""Passing a request on to another engine, and its answer back, piece by piece and unchanged.

Each request has a connection of its own: on loopback that costs a tenth of a millisecond, and none is ever stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import urlsplit

import httptools

from localbus.http.message import Headers, Request, Response

_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
_PIECE_BYTES = 64 * 1024


class _Answer:
    """What the parser has found of upstream's response so far."""

    def __init__(self) -> None:
        self.headers: Headers = []
        self.head_complete = False
        self.complete = False
        self.pieces: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.head_complete = True

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class Upstream:
    """The engine that has every service that we have not."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80

    async def __call__(self, request: Request) -> Response:
        """Pass the request on; 502 when nobody answers there."""
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        except OSError as exc:
            return _unreachable(f"The upstream {self.url} cannot be reached: {exc}.")
        sending = asyncio.ensure_future(_send(request, writer))
        try:
            answer = _Answer()
            parser = httptools.HttpResponseParser(answer)
            while not answer.head_complete:
                parser.feed_data(await _more(reader))
        except (OSError, httptools.HttpParserError) as exc:
            await _end(sending, writer)
            return _unreachable(f"The upstream {self.url} failed: {exc}.")
        except BaseException:
            await _end(sending, writer)
            raise
        status = parser.get_status_code()
        headers = [header for header in answer.headers if _passes(header)]
        if status in {204, 304}:  # these have no body, and no length to say so
            await _end(sending, writer)
            return Response(status, headers)
        body = _body(reader, parser, answer, sending, writer, bodiless=request.method == "HEAD")
        return Response(status, headers, body)


async def _more(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(_PIECE_BYTES)
    if not data:
        raise ConnectionResetError("it ended the connection without an answer")
    return data


def _passes(header: tuple[bytes, bytes]) -> bool:
    return header[0].lower() not in _HOP_BY_HOP | {b"transfer-encoding"}


async def _send(request: Request, writer: asyncio.StreamWriter) -> None:
    """Send the head as it came, and the body as it comes."""
    lines = [f"{request.method} {request.target} HTTP/1.1\r\n".encode("latin-1")]
    lines += [b"%b: %b\r\n" % header for header in request.raw_headers if header[0].lower() not in _HOP_BY_HOP]
    writer.write(b"".join([*lines, b"Connection: close\r\n\r\n"]))
    chunked = b"chunked" in request.headers.get(b"transfer-encoding", b"").lower()
    async for piece in request.stream or _once(request.body):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _once(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def _body(
    reader: asyncio.StreamReader,
    parser: httptools.HttpResponseParser,
    answer: _Answer,
    sending: asyncio.Future[None],
    writer: asyncio.StreamWriter,
    *,
    bodiless: bool,
) -> AsyncGenerator[bytes]:
    """The response's body as it comes; one that says its length and breaks off is an error, so that it shows."""
    has_end = any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in answer.headers)
    try:
        while not bodiless:
            pieces, answer.pieces = answer.pieces, []
            for piece in pieces:
                yield piece
            if answer.complete:
                return
            data = await reader.read(_PIECE_BYTES)
            if not data and has_end:
                raise ConnectionResetError("upstream broke off within a response")
            if not data:
                return
            parser.feed_data(data)
    finally:
        await _end(sending, writer)


async def _end(sending: asyncio.Future[None], writer: asyncio.StreamWriter) -> None:
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    writer.close()


def _unreachable(message: str) -> Response:
    return Response(502, [(b"Content-Type", b"text/plain")], message.encode())

"""A proxy: passes a request to the upstream and its response back, piece by piece and unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import urlsplit

import httptools

from localbus.http.client import ResponseReader
from localbus.http.message import BrokenBodyError, Request, Response

_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}


class UpstreamProxy:
    """The handler for every service that localbus does not have."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80

    async def __call__(self, request: Request) -> Response:
        """Pass the request on. Return 502 if the upstream does not answer."""
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        except OSError as exc:
            return _bad_gateway(f"The upstream {self.url} cannot be reached: {exc}.")
        sending = asyncio.ensure_future(_send(request, writer))
        response = ResponseReader(reader, request.method)
        try:
            status, headers = await response.head()
        except (OSError, httptools.HttpParserError) as exc:
            await _end(sending, writer)
            return _bad_gateway(f"The upstream {self.url} failed: {exc}.")
        except BaseException:
            await _end(sending, writer)
            raise
        headers = [header for header in headers if header[0].lower() not in _HOP_BY_HOP | {b"transfer-encoding"}]
        if status in {204, 304}:  # these have no body, and no length that says so
            await _end(sending, writer)
            return Response(status, headers)
        body = _body(response, sending, writer)
        await anext(body)  # it has begun, so that its end closes the connection, also if nobody reads it
        return Response(status, headers, body)


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
    response: ResponseReader, sending: asyncio.Future[None], writer: asyncio.StreamWriter
) -> AsyncGenerator[bytes]:
    try:
        yield b""
        async for piece in response.body():
            yield piece
    except (OSError, httptools.HttpParserError) as exc:
        raise BrokenBodyError(f"The upstream broke off its response: {exc}.") from exc
    finally:
        await _end(sending, writer)


async def _end(sending: asyncio.Future[None], writer: asyncio.StreamWriter) -> None:
    sending.cancel()
    writer.transport.abort()  # a close would wait for an upstream that does not read
    await asyncio.gather(sending, return_exceptions=True)


def _bad_gateway(message: str) -> Response:
    return Response(502, [(b"Content-Type", b"text/plain")], message.encode())

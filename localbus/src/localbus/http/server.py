"""An HTTP/1.1 server on a bare asyncio protocol.

httptools parses, and most requests are answered in the call that reads them. Chosen by measurement over uvicorn; the
figures are in the ADR on the HTTP server.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from http import HTTPStatus
from typing import cast

import httptools

from localbus.http.message import DROP_CONNECTION, App, BrokenBodyError, Request, Response

log = logging.getLogger("localbus")

MAX_BODY_BYTES = 32 * 1024 * 1024  # the largest SQS batch, every byte of it escaped in JSON, is a fifth of this
MAX_HEAD_BYTES = 64 * 1024
_STREAM_HIGH_BYTES = 256 * 1024
_STOP_S = 5.0
_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _BodyStream:
    """A request's body in the pieces in which it comes. Reading pauses while too much of it is unread."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: deque[bytes] = deque()
        self._unread_bytes = 0
        self._ended = False
        self._discarded = False
        self._changed = asyncio.Event()

    def feed(self, piece: bytes) -> None:
        if self._discarded:
            return
        self._pieces.append(piece)
        self._unread_bytes += len(piece)
        if self._unread_bytes > _STREAM_HIGH_BYTES:
            self._transport.pause_reading()
        self._changed.set()

    def discard(self) -> None:
        """Drop the rest as it comes: nothing reads it."""
        self._discarded = True
        self._pieces.clear()
        self._transport.resume_reading()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._unread_bytes -= len(piece)
                yield piece
            self._transport.resume_reading()
            if self._ended:
                return
            self._changed.clear()
            await self._changed.wait()


class _Connection(asyncio.Protocol):
    """A client's connection. Requests are parsed as they come and answered in order."""

    def __init__(self, app: App, connections: set[_Connection]) -> None:
        self._app = app
        self._connections = connections
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = asyncio.Event()
        self._stream: _BodyStream | None = None
        self._close_after_body = False
        self._broken: int | None = None  # the status for what follows the last request
        self._new_request()

    def _new_request(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._target = b""
        self._body: list[bytes] = []
        self._head_size = self._body_size = 0

    # Callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.clear()
        if self._task is None:
            self._end()
        else:
            # After its first step: what has not begun is not closed, nor what it would have awaited.
            asyncio.get_running_loop().call_soon(self._task.cancel)
            self._task.add_done_callback(lambda _: self._end())

    def _end(self) -> None:
        self._connections.discard(self)
        self._ended.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        rest = data if self._broken is None else None
        while rest is not None:
            rest = self._parse(rest)
        if not self._writable.is_set() and not self._transport.is_closing():
            self._transport.pause_reading()  # until the client reads the responses that it has

    def _parse(self, data: bytes) -> bytes | None:
        """Parse what came. Return a request again without its upgrade: the parser does not read the body of one."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as exc:
            if self._offers_upgrade():
                return self._without_upgrade() + data[exc.args[0] :]
            self._reject(501)
        except (httptools.HttpParserError, httptools.HttpParserCallbackError):
            self._reject(400)
        return None

    def _offers_upgrade(self) -> bool:
        return self._parser.should_upgrade() and b"upgrade" in self._headers

    def _without_upgrade(self) -> bytes:
        """Return the head without the offer, which a server may ignore, for a new parser.

        The HttpClient of Java offers HTTP/2 with every request. https://www.rfc-editor.org/rfc/rfc9110#section-7.8
        """
        version = self._parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), self._target, version)]
        lines += [b"%b: %b" % header for header in self._raw_headers if header[0].lower() != b"upgrade"]
        self._new_request()
        self._parser = httptools.HttpRequestParser(self)
        return b"\r\n".join([*lines, b"", b""])

    # Callbacks of the parser

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value
        self._raw_headers.append((name, value))
        self._count_head(len(name) + len(value))

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD_BYTES:
            self._reject(431)

    def on_headers_complete(self) -> None:
        if self._offers_upgrade():
            return
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(_CONTINUE)
        request = self._request = Request(
            self._parser.get_method().decode(), self._target.decode("latin-1"), self._headers, self._raw_headers
        )
        self._headers, self._raw_headers = {}, []  # of the trailers, which are no headers
        if self._app.wants_stream(request):
            request.stream = self._stream = _BodyStream(self._transport)
            self._enqueue(request)

    def on_body(self, body: bytes) -> None:
        if self._stream is not None:
            self._stream.feed(body)
            return
        self._body_size += len(body)
        if self._body_size > MAX_BODY_BYTES:
            self._reject(413)
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            return
        request = self._request
        if self._stream is not None:
            self._stream.end()
            self._stream = None
            if self._close_after_body:
                self._transport.close()
        else:
            request.body = b"".join(self._body)
            self._enqueue(request)
        self._new_request()

    # Responses

    def _enqueue(self, request: Request) -> None:
        if self._broken is not None:
            return
        keep_alive = self._parser.should_keep_alive()
        if self._task is None and not self._waiting:
            self._answer(request, keep_alive)
            return
        self._waiting.append((request, keep_alive))
        if len(self._waiting) > 16:
            self._transport.pause_reading()

    def _answer(self, request: Request, keep_alive: bool) -> None:
        response = self._app.handle(request)
        if isinstance(response, Response) and isinstance(response.body, bytes):
            self._write(response, response.body, keep_alive)
            self._end_answer(request, keep_alive)
        else:
            self._task = asyncio.ensure_future(self._answer_later(request, response, keep_alive))

    async def _answer_later(self, request: Request, response: Response | Awaitable[Response], keep_alive: bool) -> None:
        try:
            if not isinstance(response, Response):
                response = await response
            if isinstance(response.body, bytes):
                self._write(response, response.body, keep_alive)
            else:
                await self._write_stream(response, response.body, keep_alive)
            self._end_answer(request, keep_alive)
        except BrokenBodyError as exc:
            log.warning("response.broken %s", exc)
            self._transport.abort()
        except Exception:
            log.exception("response.failed")
            self._transport.abort()
        self._task = None
        while self._waiting and self._task is None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._answer(*self._waiting.popleft())
        if self._broken is not None and self._task is None:
            self._reject(self._broken)

    def _end_answer(self, request: Request, keep_alive: bool) -> None:
        """Close the connection if required, but not while a body is still coming: a reset would lose the response."""
        if isinstance(request.stream, _BodyStream):
            request.stream.discard()
        if request.stream is not None and request.stream is self._stream:
            self._close_after_body = not keep_alive
        elif not keep_alive:
            self._transport.close()

    def _write(self, response: Response, body: bytes, keep_alive: bool) -> None:
        if response.status == DROP_CONNECTION:
            self._transport.abort()
        if not self._transport.is_closing():
            self._transport.write(_head(response, keep_alive, b"Content-Length: %d\r\n" % len(body)) + body)

    async def _write_stream(self, response: Response, body: AsyncGenerator[bytes], keep_alive: bool) -> None:
        """Write the pieces of a body, in chunks if it has no length."""
        sized = any(name.lower() == b"content-length" for name, _ in response.headers)
        async with aclosing(body) as pieces:
            await self._send(_head(response, keep_alive, b"" if sized else b"Transfer-Encoding: chunked\r\n"))
            async for piece in pieces:
                if piece:
                    await self._send(piece if sized else b"%x\r\n%b\r\n" % (len(piece), piece))
        if not sized:
            await self._send(b"0\r\n\r\n")

    async def _send(self, data: bytes) -> None:
        """Write, and wait until the client has read enough of it."""
        if self._transport.is_closing():
            await self._ended.wait()  # the client has left, for which this task is cancelled
        self._transport.write(data)
        await self._writable.wait()

    def _reject(self, status: int) -> None:
        """Answer an invalid request and close the connection, because what follows cannot be parsed either.

        Requests before it are answered first: their client would take this for the answer to one of them.
        """
        self._broken = status
        if (self._task is None or self._stream is not None) and not self._transport.is_closing():
            self._transport.write(_LINES[status] + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            self._transport.close()

    async def end(self) -> None:
        self._transport.abort()
        await self._ended.wait()


def _head(response: Response, keep_alive: bool, length: bytes) -> bytes:
    parts = [_LINES.get(response.status, b"HTTP/1.1 %d -\r\n" % response.status)]
    parts += [b"%b: %b\r\n" % header for header in response.headers]
    return b"".join([*parts, length, b"\r\n" if keep_alive else b"Connection: close\r\n\r\n"])


class ListenError(OSError):
    """Listening at this address failed."""

    def __init__(self, cause: OSError, host: str, port: int) -> None:
        super().__init__(cause.errno, cause.strerror or str(cause))
        self.host = host
        self.port = port


class HttpServer:
    """A server for one app."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on a port, or on a free one if it is 0. Return the port. Raises ListenError."""
        bound = await self.bind(host, port)
        await self.listen()
        return bound

    async def bind(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Take a port, or a free one if it is 0, and return it. It is closed until `listen`. Raises ListenError."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self.connection, host, port, backlog=2048, ssl=tls, start_serving=False
            )
        except OSError as exc:
            raise ListenError(exc, host, port) from exc
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def listen(self) -> None:
        """Listen on the port that `bind` took. Raises ListenError."""
        assert self._server is not None  # noqa: S101 (`bind` comes first)
        host, port = self._server.sockets[0].getsockname()[:2]
        try:
            await self._server.start_serving()
        except OSError as exc:
            raise ListenError(exc, host, port) from exc

    def connection(self) -> asyncio.Protocol:
        """Return the protocol for a new connection."""
        return _Connection(self._app, self._connections)

    async def stop(self) -> None:
        """Stop listening, drop all connections, also those of long polls, and wait until their requests have ended.

        A client that has not finished its TLS handshake is not a connection yet and is left to the event loop.
        """
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)  # a socket that this turn of the loop has accepted is a connection after it
        try:
            async with asyncio.timeout(_STOP_S):
                await asyncio.gather(*(connection.end() for connection in self._connections))
        except TimeoutError:
            log.warning("connections.open after %g s: %d", _STOP_S, len(self._connections))

"""The generator's HTTP/1.1 connections: a request is one write, its answer one call of a function.

A general client makes and checks some thirty objects for each request, which took more than half of the generator's
processor time. Redirects are answers like others, proxies are not used, and compressed answers are not asked for.
"""

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import httptools

_ANSWER_WITHIN_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.5
# Below order-api's 30 s, so that no order is sent on a connection that is just being closed.
_KEEP_ALIVE_S: Final = 15.0
_PATH_CHARACTERS: Final = "/%!$&'()*+,;=:@"
_FRAMING: Final = (b"content-length", b"transfer-encoding")


class HttpAnswer(NamedTuple):
    """An answer. at: of time.monotonic(), when its last byte had come."""

    status: int
    phrase: str
    content: bytes
    at: float


class NoAnswer(NamedTuple):
    """The end of a request without a whole answer. sent: something of it may have reached the server."""

    reason: str
    at: float
    sent: bool = True


Done = Callable[[HttpAnswer | NoAnswer], None]


class Connections:
    """Connections to one server, as many as there are requests under way. headers: of every request."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = quote(parts.path.rstrip("/"), safe=_PATH_CHARACTERS)
        login, _, host = parts.netloc.rpartition("@")
        basic = {"Authorization": f"Basic {b64encode(unquote(login).encode()).decode()}"} if login else {}
        lines = {"Host": host.encode("idna").decode(), **basic, **headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None

    def head(self, method: str, path: str) -> bytes:
        """Return the beginning of a request, without the end of its headers."""
        return f"{method} {self._path}/{path} HTTP/1.1\r\n".encode() + self._headers

    def send(self, request: bytes, done: Done) -> None:
        """Send a request, on the connection that was used last if one is free."""
        now = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.used_at < _KEEP_ALIVE_S:
                self._start(connection, request, done, now)
                return
            connection.abort()
        task = asyncio.get_running_loop().create_task(self._connect(request, done, now))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def exchange(self, request: bytes) -> HttpAnswer | NoAnswer:
        """Send a request and wait for its end."""
        ended: asyncio.Future[HttpAnswer | NoAnswer] = asyncio.get_running_loop().create_future()

        def done(result: HttpAnswer | NoAnswer) -> None:
            if not ended.done():
                ended.set_result(result)

        self.send(request, done)
        return await ended

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._idle, *self._busy):
            connection.abort()
        if self._look is not None:
            self._look.cancel()

    def ended(self, connection: "_Connection") -> None:
        """Keep a connection for the next request, unless it is of no more use."""
        self._busy.discard(connection)
        if connection.is_open:
            self._idle.append(connection)
        else:
            connection.abort()

    def _start(self, connection: "_Connection", request: bytes, done: Done, since: float) -> None:
        self._busy.add(connection)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._end_overdue)
        connection.send(request, done, since)

    async def _connect(self, request: bytes, done: Done, since: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), self._host, self._port, ssl=self._tls
                )
        except TimeoutError:
            reason = f"no connection within {_ANSWER_WITHIN_S:g} s"
        except OSError as exc:
            reason = f"no connection: {exc.strerror or exc}"
        else:
            self._start(connection, request, done, since)
            return
        done(NoAnswer(reason, time.monotonic(), sent=False))

    def _end_overdue(self) -> None:
        self._look = None
        overdue = time.monotonic() - _ANSWER_WITHIN_S
        for connection in [each for each in self._busy if each.since < overdue]:
            connection.fail(f"no answer within {_ANSWER_WITHIN_S:g} s")
        if self._busy:
            self._look = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._end_overdue)


class _Connection(asyncio.Protocol):
    """A connection: one exchange after the other. httptools calls the methods that begin with on_.

    since: when the current one began. used_at: when the last one ended.
    """

    def __init__(self, owner: Connections) -> None:
        self._owner = owner
        self._parser = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._done: Done | None = None
        self._answer: HttpAnswer | None = None
        self._phrase = self._content = b""
        self._is_framed = self._ends_with_connection = False
        self.is_open = True
        self.since = self.used_at = 0.0

    def send(self, request: bytes, done: Done, since: float) -> None:
        """Begin an exchange."""
        self._done, self._answer, self.since = done, None, since
        self._transport.write(request)

    def fail(self, reason: str) -> None:
        """End the exchange without an answer."""
        self.is_open = False
        self._end(NoAnswer(reason, time.monotonic()))

    def abort(self) -> None:
        """Close the connection at once."""
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse; an answer that is not HTTP, or that nobody asked for, ends the connection."""
        if self._done is None:
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail("an answer that is not HTTP/1.1")
        if self._answer is not None:
            self._end(self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """End an answer without a length, or fail."""
        self.is_open = False
        if exc is None and self._ends_with_connection and self._done is not None:
            self.on_message_complete()
        self._end(self._answer or NoAnswer("the connection was closed before the answer", time.monotonic()))

    def on_message_begin(self) -> None:
        """Begin an answer. Another one in the same packet is one that nobody asked for."""
        self.is_open = self.is_open and self._answer is None
        self._phrase = self._content = b""
        self._is_framed = False

    def on_status(self, phrase: bytes) -> None:
        """Keep the reason phrase."""
        self._phrase += phrase

    def on_header(self, name: bytes, value: bytes) -> None:
        """Learn whether the answer says where it ends."""
        del value
        if name.lower() in _FRAMING:
            self._is_framed = True

    def on_headers_complete(self) -> None:
        """Note if only the end of the connection will end the answer."""
        self._ends_with_connection = not self._is_framed

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body."""
        self._content += piece

    def on_message_complete(self) -> None:
        """Keep the answer, unless it is informational."""
        self._ends_with_connection = False
        status = self._parser.get_status_code()
        if status >= 200 and self._answer is None:
            self.is_open = self.is_open and self._parser.should_keep_alive()
            self._answer = HttpAnswer(status, self._phrase.decode("latin-1"), self._content, time.monotonic())

    def _end(self, result: HttpAnswer | NoAnswer) -> None:
        done, self._done = self._done, None
        if done is not None:
            self.used_at = result.at
            self._owner.ended(self)
            done(result)

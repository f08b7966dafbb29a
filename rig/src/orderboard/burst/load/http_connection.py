"""A connection of HTTP/1.1: a request is one write, its answer one call of a function."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import httptools

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


class HttpConnection(asyncio.Protocol):
    """A connection: one exchange after the other. httptools calls the methods that begin with on_.

    since: when the current one began. used_at: when the last one ended. on_end: called then, before its `done`.
    """

    def __init__(self, on_end: Callable[["HttpConnection"], None]) -> None:
        self._on_end = on_end
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
            self._on_end(self)
            done(result)

"""An HTTP client for the engine's own calls, and the reading of a response that the upstream's proxy shares.

Each request has its own connection: on loopback that costs a tenth of a millisecond, and none is ever stale.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

from localbus.http.message import Headers

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024


def without_password(url: str) -> str:
    """Return the URL with **** in place of a password."""
    user_info = urlsplit(url).netloc.rpartition("@")[0]
    user, colon, _ = user_info.partition(":")
    return url.replace(f"{user_info}@", f"{user}:****@", 1) if colon else url


class NoAnswerError(Exception):
    """The server could not be reached, or its response was not valid HTTP."""


@dataclass
class Answer:
    """A response. Header names are lower-case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Parsed:
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


class ResponseReader:
    """Reads one response. Both parts raise OSError or httptools.HttpParserError."""

    def __init__(self, reader: asyncio.StreamReader, method: str) -> None:
        self._reader = reader
        self._has_body = method != "HEAD"
        self._parsed = _Parsed()
        self._parser = httptools.HttpResponseParser(self._parsed)

    async def head(self) -> tuple[int, Headers]:
        """Return the status and the headers."""
        while not self._parsed.head_complete:
            if not await self._feed():
                raise ConnectionResetError("the connection ended without a response")
        return self._parser.get_status_code(), self._parsed.headers

    async def body(self) -> AsyncGenerator[bytes]:
        """Yield the body as it comes. A body without a length ends with the connection."""
        has_end = any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in self._parsed.headers)
        while self._has_body:
            pieces, self._parsed.pieces = self._parsed.pieces, []
            for piece in pieces:
                yield piece
            if self._parsed.complete:
                return
            if not await self._feed():
                if has_end:
                    raise ConnectionResetError("the connection ended within the response")
                return

    async def _feed(self) -> bool:
        data = await self._reader.read(_PIECE_BYTES)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._parsed.complete:  # bytes after the response do not matter
                raise
        return bool(data)


async def send(method: str, url: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float) -> Answer:
    """Send a request and return the whole response. Raises NoAnswerError, and TimeoutError after `timeout_s`."""
    parts = urlsplit(url)
    host = _host(url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    async with asyncio.timeout(timeout_s):
        try:
            reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=tls)
        except OSError as exc:
            raise NoAnswerError(f"{host} cannot be reached: {exc}") from exc
        try:
            writer.write(_head(method, url, headers, body) + body)
            await writer.drain()
            return await _read(ResponseReader(reader, method))
        except (OSError, httptools.HttpParserError) as exc:
            raise NoAnswerError(f"{host} broke off: {exc}") from exc
        finally:
            writer.transport.abort()  # a close would wait for a server that does not read


async def _read(response: ResponseReader) -> Answer:
    status, headers = await response.head()
    body = bytearray()
    async for piece in response.body():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise NoAnswerError(f"the response is longer than {MAX_ANSWER_BYTES} bytes")
    return Answer(status, {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in headers}, bytes(body))


def _host(url: str) -> str:
    """Return host and port without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _head(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Host": _host(url), "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}".replace("\r", " ").replace("\n", " ") for name, value in (own | dict(headers)).items()]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("utf-8")

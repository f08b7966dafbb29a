"""One HTTP request and its whole answer, for what the engine itself calls: functions, logs and endpoints of others."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024


class NoAnswerError(Exception):
    """Nobody answered, or not in a way that can be understood."""


@dataclass
class Answer:
    """A response. Header names are lower-case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Reading:
    def __init__(self, *, bodiless: bool) -> None:
        self.answer = Answer()
        self.complete = False
        self._bodiless = bodiless
        self._pieces: list[bytes] = []
        self._size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_ANSWER_BYTES:
            raise NoAnswerError("the answer is too long")
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True

    def finish(self, status: int) -> Answer:
        self.answer.status = status
        self.answer.body = b"".join(self._pieces)
        return self.answer


async def send(method: str, url: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float) -> Answer:
    """Send a request on a connection of its own. Raises NoAnswerError, and TimeoutError after so many seconds."""
    async with asyncio.timeout(timeout_s):
        parts = urlsplit(url)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        try:
            reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=tls)
        except OSError as exc:
            raise NoAnswerError(f"{parts.netloc} cannot be reached: {exc}") from exc
        try:
            writer.write(_head(method, url, headers, body) + body)
            await writer.drain()
            return await _read(reader, bodiless=method == "HEAD")
        except (OSError, httptools.HttpParserError) as exc:
            raise NoAnswerError(f"{parts.netloc} broke off: {exc}") from exc
        finally:
            writer.close()


def _head(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Host": parts.netloc.rpartition("@")[2], "Content-Length": str(len(body)), "Connection": "close"}
    lines = [
        f"{method} {target} HTTP/1.1",
        *(f"{name}: {_line(value)}" for name, value in (own | dict(headers)).items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def _line(value: str) -> str:
    """A header's value is one line."""
    return value.replace("\r", " ").replace("\n", " ")


async def _read(reader: asyncio.StreamReader, *, bodiless: bool) -> Answer:
    reading = _Reading(bodiless=bodiless)
    parser = httptools.HttpResponseParser(reading)
    while not reading.complete:
        data = await reader.read(_PIECE_BYTES)
        if not data:
            if parser.get_status_code() and "content-length" not in reading.answer.headers:
                break  # an answer without a length ends with the connection
            raise ConnectionResetError("the connection ended before the answer did")
        try:
            parser.feed_data(data)
        except httptools.HttpParserError:
            if not reading.complete:  # what comes after the answer is nobody's
                raise
    return reading.finish(parser.get_status_code())

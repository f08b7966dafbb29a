"""One connection to order-api, for requests as bytes: what no HTTP library would send, in pieces, or cut off."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

Headers = tuple[tuple[bytes, bytes], ...]

_WAIT_S: Final = 30


class NoResponseError(Exception):
    """The server closed the connection without a response."""


@dataclass(frozen=True)
class Request:
    """A request.

    expected: the statuses that are right besides 503; None if the description says whether a command is to be accepted.
    doubtful: a command may be accepted or refused.
    """

    method: str = "GET"
    target: bytes = b"/orders"
    headers: Headers = ()
    body: bytes = b""
    chunks: tuple[int, ...] | None = None  # sizes, for a chunked body
    framing: bytes | None = None  # the whole request, if its framing is odd
    expected: frozenset[int] | None = None
    doubtful: bool = False
    correlation_id: str = ""

    def encoded(self) -> bytes:
        """Return the bytes to send."""
        if self.framing is not None:
            return self.framing
        head = [b"%b %b HTTP/1.1" % (self.method.encode(), self.target), b"Host: order-api"]
        head += [b"%b: %b" % each for each in self.headers]
        if self.chunks is not None:
            head.append(b"Transfer-Encoding: chunked")
        elif self.body or self.method == "POST":
            head.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join([*head, b"", self.body if self.chunks is None else chunked(self.body, self.chunks)])

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a header, by its name in lower case."""
        return [value.strip(b" \t") for each, value in self.headers if each.lower() == name]


def chunked(body: bytes, sizes: tuple[int, ...], *, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return the body in chunks of these sizes, and the rest in one."""
    parts, start = [], 0
    for size in (*sizes, len(body)):
        if chunk := body[start : start + size]:
            parts.append(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk))
        start += size
    return b"".join([*parts, b"0\r\n", trailer, b"\r\n"])


@dataclass(frozen=True)
class Response:
    """A response; headers by name in lower case, of which order-api repeats none."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    """A connection that is opened when it is needed, and again after the server closed it."""

    host: str
    port: int
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def send(self, data: bytes, pieces: int = 1) -> None:
        """Send these bytes. A server that has read enough may close the connection before the last of them."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        _, writer = self._streams
        size = -(-len(data) // pieces) or 1
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await writer.drain()

    def hang_up(self) -> None:
        """Close the connection at once."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams = None

    async def end_of_input(self) -> None:
        """Send no more, and go on reading."""
        if self._streams is not None:
            with contextlib.suppress(OSError):
                self._streams[1].write_eof()

    async def response(self, method: str) -> Response:
        """Read the next response; raise NoResponseError if there is none."""
        assert self._streams is not None
        try:
            async with asyncio.timeout(_WAIT_S):
                response = await _read(self._streams[0], method)
        except (OSError, asyncio.IncompleteReadError) as exc:
            self.hang_up()
            raise NoResponseError(type(exc).__name__) from exc
        if "close" in response.headers.get("connection", ""):
            self.hang_up()
        return response


async def _read(reader: asyncio.StreamReader, method: str) -> Response:
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(status_line.split(" ")[1])
    if status == 100:
        return await _read(reader, method)
    length = 0 if method == "HEAD" or status == 204 else int(headers["content-length"])
    return Response(status, headers, await reader.readexactly(length))

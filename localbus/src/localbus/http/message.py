"""An HTTP request and its response. See `server` for how they are parsed and written."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from localbus.http.forms import parse_form

Headers = list[tuple[bytes, bytes]]
MAX_UNCOMPRESSED_BYTES = 4 * 1_048_576
DROP_CONNECTION = 0  # not a status: end the connection without a response


@dataclass
class Request:
    """A request. `body` is complete, or `stream` is set instead for a request that may go to the upstream.

    `base_url` is the engine's address for this client, where it is not http with the Host header.
    """

    method: str
    target: str
    headers: dict[bytes, bytes]
    raw_headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: AsyncIterable[bytes] | None = None
    base_url: str = ""

    def header(self, name: bytes) -> str:
        """Return the header of that lower-case name; empty text without one."""
        return self.headers.get(name, b"").decode("latin-1")

    @cached_property
    def path(self) -> str:
        """The decoded path, without the query."""
        return unquote(self.target.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query string; the last of a repeated one counts."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def is_form(self) -> bool:
        """True if the body is a web form, as in the Query protocol."""
        return self.header(b"content-type").startswith("application/x-www-form-urlencoded")

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of the query string and of a form in the body."""
        if not self.is_form:
            return self.query
        return self.query | parse_form(self.body)


def uncompressed(request: Request) -> Request:
    """Return a request with its body as it was before gzip; the same request if its body is not gzip.

    botocore compresses long requests of some services. What is longer than any of these accepts stays compressed.
    """
    if request.header(b"content-encoding").lower() != "gzip":
        return request
    unpack = zlib.decompressobj(wbits=31)
    try:
        body = unpack.decompress(request.body, MAX_UNCOMPRESSED_BYTES)
    except zlib.error:
        return request
    return replace(request, body=body) if unpack.eof else request


@dataclass
class Response:
    """A response. A body that comes in pieces (from the upstream, or of a followed journal) is an async generator."""

    status: int
    headers: Headers
    body: bytes | AsyncGenerator[bytes] = b""


class BrokenBodyError(Exception):
    """The source of a body that comes in pieces failed after the head was sent. The client sees the connection end."""


class App(Protocol):
    """An application for `HttpServer`."""

    def wants_stream(self, request: Request) -> bool:
        """Return whether to handle this request, of which only the head is read, before its body is read."""

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request, at once if possible: most requests need no task."""


Handler = Callable[[Request], Response | Awaitable[Response]]

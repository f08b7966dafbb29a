"""An HTTP request and its response as the engine sees them. How bytes become these is `http_server`'s part."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from localbus.http.forms import parse_form

Headers = list[tuple[bytes, bytes]]
DROP_CONNECTION = 0  # a status that is none: the connection is to end without an answer


@dataclass
class Request:
    """A request. `body` is complete for an engine's own service; `stream` is set instead for what is passed on."""

    method: str
    target: str
    headers: dict[bytes, bytes]
    raw_headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: AsyncIterable[bytes] | None = None

    def header(self, name: bytes) -> str:
        """The header of that lower-case name, or an empty text."""
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
        """Whether the body is a web form, as Query requests are."""
        return self.header(b"content-type").startswith("application/x-www-form-urlencoded")

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of the query string and of a form in the body together."""
        if not self.is_form:
            return self.query
        return self.query | parse_form(self.body)


@dataclass
class Response:
    """A response. A body that comes in pieces (from upstream, or a journal that is followed) is an async generator."""

    status: int
    headers: Headers
    body: bytes | AsyncGenerator[bytes] = b""


class App(Protocol):
    """What an HTTP server serves."""

    def wants_stream(self, request: Request) -> bool:
        """Whether this request, of which only the head is there yet, is to be handed over before its body is."""

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer at once where that is possible: most requests need no task of their own."""


Handler = Callable[[Request], Response | Awaitable[Response]]

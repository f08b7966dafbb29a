"""Which web pages may talk to the engine. A page says in `Origin` where it comes from; AWS clients send no such header.

Any page that is open in a browser on this machine can send requests to 127.0.0.1. Pages that were served by this
machine may, and are told so as browsers ask (CORS); others only where that was asked for.
Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from urllib.parse import urlsplit

from localbus.http.message import App, Request, Response

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ASK_AGAIN_AFTER_S = b"600"


class Origins:
    """Stands before the app. `allowed` are origins such as `https://shop.example`; `*` is any."""

    def __init__(self, app: App, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    def wants_stream(self, request: Request) -> bool:
        """As the app says."""
        return self._app.wants_stream(request)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Let the app answer a client that is no web page, or one that may ask."""
        if b"origin" not in request.headers:
            return self._app.handle(request)
        origin = request.header(b"origin")
        if not self._may(origin):
            text = f"Pages of {origin} may not talk to this engine; --allow-origin {origin} lets them.\n"
            return Response(403, [(b"Content-Type", b"text/plain; charset=utf-8")], text.encode())
        if request.method == "OPTIONS" and b"access-control-request-method" in request.headers:
            return _allow(_preflight(request), origin)
        response = self._app.handle(request)
        return _allow(response, origin) if isinstance(response, Response) else _allow_later(response, origin)

    def _may(self, origin: str) -> bool:
        if origin in self._allowed or "*" in self._allowed:
            return True
        try:
            host = urlsplit(origin).hostname or ""
        except ValueError:
            return False
        return host in _LOOPBACK or host.endswith(".localhost")


def _preflight(request: Request) -> Response:
    """The answer to a browser that asks beforehand: whatever the page wants to send, it may."""
    wanted = request.headers.get(b"access-control-request-headers", b"*")
    return Response(
        204,
        [
            (b"Access-Control-Allow-Methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
            (b"Access-Control-Allow-Headers", wanted),
            (b"Access-Control-Max-Age", _ASK_AGAIN_AFTER_S),
        ],
    )


def _allow(response: Response, origin: str) -> Response:
    response.headers = [
        *(header for header in response.headers if not header[0].lower().startswith(b"access-control-allow-origin")),
        (b"Access-Control-Allow-Origin", origin.encode("latin-1")),
        (b"Access-Control-Expose-Headers", b"*"),
        (b"Vary", b"Origin"),
    ]
    return response


async def _allow_later(response: Awaitable[Response], origin: str) -> Response:
    return _allow(await response, origin)

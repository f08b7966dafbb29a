"""Cross-origin requests: web pages of this machine may use the engine, others only if allowed.

Any page that is open in a browser on this machine can send requests to 127.0.0.1, and names its site in `Origin`. AWS
clients send no such header.
Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from urllib.parse import urlsplit

from localbus.http.message import App, Request, Response

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Cors:
    """Checks the origin before the app answers. `allowed` are origins such as `https://shop.example`; `*` is any."""

    def __init__(self, app: App, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(allowed)
        self.wants_stream = app.wants_stream

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer by the app, with CORS headers for a web page; 403 if its origin is not allowed."""
        if b"origin" not in request.headers:
            return self._app.handle(request)
        origin = request.header(b"origin")
        if not self._allows(origin):
            text = f"Pages of {origin} may not use this engine. To allow them, start it with --allow-origin {origin}.\n"
            return Response(403, [(b"Content-Type", b"text/plain; charset=utf-8")], text.encode())
        if request.method == "OPTIONS" and b"access-control-request-method" in request.headers:
            return _allow(_preflight(request), origin)
        response = self._app.handle(request)
        return _allow(response, origin) if isinstance(response, Response) else _allow_later(response, origin)

    def _allows(self, origin: str) -> bool:
        if origin in self._allowed or "*" in self._allowed:
            return True
        try:
            host = urlsplit(origin).hostname or ""
        except ValueError:
            return False
        return host in _LOOPBACK or host.endswith(".localhost")


def _preflight(request: Request) -> Response:
    """Return the response to a preflight request: an allowed page may send anything."""
    requested = request.headers.get(b"access-control-request-headers", b"*")
    return Response(
        204,
        [
            (b"Access-Control-Allow-Methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
            (b"Access-Control-Allow-Headers", requested),
            (b"Access-Control-Max-Age", b"600"),
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

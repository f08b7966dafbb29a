"""Rejects cross-origin requests (Host and Origin checks) and sets a strict Content-Security-Policy.

A web page elsewhere can make the visitor's browser send requests to 127.0.0.1. It cannot choose their Origin, and a
name that it resolves to 127.0.0.1 (DNS rebinding) shows in Host.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAMES: Final = frozenset(("127.0.0.1", "localhost"))
_SAFE_METHODS: Final = frozenset(("GET", "HEAD"))
_MAX_BODY_BYTES: Final = 2_500_000  # a message is at most 1 MiB, and JSON may escape each character

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def rejection(method: str, headers: Headers, *, any_name: bool = False) -> str | None:
    """Return why this request is rejected; None if it may pass."""
    host = headers.get("host", "")
    known = any_name or _hostname(host) in _NAMES
    if not known or "@" in host or len(headers.getlist("host")) > 1:
        return "This page answers requests to 127.0.0.1 and localhost only."
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and not _follows_link(
        method, headers
    ):
        return "Another site sent this request."
    return None if method in _SAFE_METHODS else _action_rejection(host, headers)


def _follows_link(method: str, headers: Headers) -> bool:
    """Return whether the visitor followed a link to a page: the site with the link can neither frame nor read it.

    Such links are those of a chat, of a handout, and of an editor in the browser that forwards this port.
    """
    return method == "GET" and (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == (
        "navigate",
        "document",
    )


def _action_rejection(host: str, headers: Headers) -> str | None:
    if headers.get("origin") != f"http://{host}":
        return "Actions must come from the page itself (Origin)."
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return "The body must be application/json."
    if not headers.get("content-length", "").isdigit() or int(headers["content-length"]) > _MAX_BODY_BYTES:
        return f"The request needs a Content-Length of at most {_MAX_BODY_BYTES} bytes."
    return None


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # such as an unclosed bracket
        return None


class SameOriginOnly:
    """ASGI middleware around the whole application. any_name: for one that asks for a token, at any address."""

    def __init__(self, app: ASGIApp, *, any_name: bool = False) -> None:
        self._app, self._any_name = app, any_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        reason = rejection(scope["method"], Headers(scope=scope), any_name=self._any_name)
        app = self._app if reason is None else JSONResponse({"message": reason}, status_code=403)
        await app(scope, receive, send_protected)

"""Lets nobody but this page press a knob: checks of Host and Origin, and headers that let the page do nothing else.

A web page elsewhere can make the visitor's browser send requests to 127.0.0.1. It cannot choose their Origin, and a
name that it points at 127.0.0.1 (DNS rebinding) stands in Host.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAMES: Final = frozenset(("127.0.0.1", "localhost"))
_SAFE_METHODS: Final = frozenset(("GET", "HEAD"))
_MAX_BODY_BYTES: Final = 300_000  # an event is at most 256 KiB

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


def refusal(method: str, headers: Headers) -> str | None:
    """Why this request is refused; None when it may pass."""
    host = headers.get("host", "")
    if _name(host) not in _NAMES or "@" in host or len(headers.getlist("host")) > 1:
        return "This console answers to 127.0.0.1 and localhost only."
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "Another site sent this request."
    return None if method in _SAFE_METHODS else _action_refusal(host, headers)


def _action_refusal(host: str, headers: Headers) -> str | None:
    if headers.get("origin") != f"http://{host}":
        return "An action must come from the console's own page (Origin)."
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return "An action must be application/json."
    if not headers.get("content-length", "").isdigit() or int(headers["content-length"]) > _MAX_BODY_BYTES:
        return f"An action must say its length, {_MAX_BODY_BYTES} bytes at most."
    return None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # such as a bracket that never closes
        return None


class SameOriginOnly:
    """The middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        reason = refusal(scope["method"], Headers(scope=scope))
        if reason is not None:
            await JSONResponse({"said": reason}, status_code=403)(scope, receive, send_protected)
            return
        await self._app(scope, receive, send_protected)

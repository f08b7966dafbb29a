"""ASGI middleware: the service boundary, the bearer token, and the limits on a request body.

Starlette's own differ where it matters: its body limit responds with text/plain and knows no deadline, and its server
error handler raises the error again for the server to log.
"""

import asyncio
import hmac
import logging
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_api.problem import BODY_TOO_LARGE, INTERNAL_ERROR, SLOW_BODY, UNAUTHORIZED, ProblemError
from order_api.trace import Trace, current_trace

log = logging.getLogger(__name__)

# Probes carry no token, and the description of the API is public.
OPEN_PATHS: Final = frozenset(("/healthz", "/readyz", "/openapi.json", "/docs"))
# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class BoundaryMiddleware:
    """Gives each request a trace, each response security headers, and turns unexpected errors into a bare 500.

    The one broad `except` of this service is here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and make sure that it gets a response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = Trace.of(dict(scope["headers"]))
        current_trace.set(trace)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                correlation = (b"x-correlation-id", trace.correlation_id.encode())
                message["headers"] = [*message.get("headers", ()), correlation, *_SECURITY_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if started:
                raise
            log.exception("request.failed", extra={"method": scope["method"], "path": scope["path"][:200]})
            await ProblemError(INTERNAL_ERROR).response()(scope, receive, send_with_headers)


class TokenMiddleware:
    """Responds 401 to a request without the bearer token (RFC 6750), except on the open paths."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an authorized request on, or reject it."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._is_authorized(scope):
            await self._app(scope, receive, send)
            return
        rejection = ProblemError(UNAUTHORIZED, headers={"WWW-Authenticate": 'Bearer realm="order-api"'})
        await rejection.response()(scope, receive, send)

    def _is_authorized(self, scope: Scope) -> bool:
        credentials = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(credentials) != 1:
            return False
        scheme, _, token = credentials[0].partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


class BodyLimit:
    """Limits the size of a body and the time to receive it.

    A Content-Length over the limit is rejected before anything is read, a chunked body at the chunk that exceeds it.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, deadline_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._deadline_s = deadline_s
        self._too_large = f"The limit for a body is {max_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a limited receive."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _content_length(scope) > self._max_bytes:
            await ProblemError(BODY_TOO_LARGE, self._too_large).response()(scope, receive, send)
        else:
            await self._app(scope, self._limited(receive), send)

    def _limited(self, receive: Receive) -> Receive:
        left_bytes = self._max_bytes
        complete = False
        deadline: float | None = None

        async def limited() -> Message:
            nonlocal left_bytes, complete, deadline
            if complete:
                return await receive()
            deadline = deadline or asyncio.get_running_loop().time() + self._deadline_s
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as exc:
                detail = f"The body took more than {self._deadline_s:g} s."
                raise ProblemError(SLOW_BODY, detail, headers={"Connection": "close"}) from exc
            left_bytes -= len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if left_bytes < 0:
                raise ProblemError(BODY_TOO_LARGE, self._too_large)
            return message

        return limited


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0

"""The service's boundary: what every request and every response has, in one ASGI layer outside of FastAPI.

A trace, the bearer token, the limits on a body, security headers, metrics, and a bare 500 for what was not expected.
Starlette's own differ where it matters: its body limit responds with text/plain and knows no deadline. One layer
instead of four, as each costs every order two calls and a closure.
"""

import asyncio
import hmac
import logging
import time
from typing import Final

from orderboard_contracts.tracing import Tracing
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_api.metrics import Metrics
from order_api.problem import BODY_TOO_LARGE, INTERNAL_ERROR, SLOW_BODY, UNAUTHORIZED, ProblemError
from order_api.settings import Settings
from order_api.trace import Trace, current_trace

log = logging.getLogger(__name__)

# Probes carry no token, and the description of the API is public.
OPEN_PATHS: Final = frozenset(("/healthz", "/readyz", "/openapi.json", "/docs"))
_NOT_TRACED: Final = OPEN_PATHS | {"/metrics"}
# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class BodyLimits:
    """Limits of the size of a body and of the time to receive it.

    A Content-Length over the limit is rejected before anything is read, a chunked body at the chunk that exceeds it.
    """

    def __init__(self, max_bytes: int, deadline_s: float) -> None:
        self.max_bytes = max_bytes
        self._deadline_s = deadline_s

    def too_large(self) -> ProblemError:
        """Return the problem of a body over the limit."""
        return ProblemError(BODY_TOO_LARGE, f"The limit for a body is {self.max_bytes} bytes.")

    def applied_to(self, receive: Receive) -> Receive:
        """Return a limited receive, which raises a ProblemError."""
        left_bytes = self.max_bytes
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
                raise self.too_large()
            return message

        return limited


class Boundary:
    """The outermost ASGI app. The one broad `except` of this service is here."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, tracing: Tracing | None) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._token = None if settings.api_token is None else settings.api_token.get_secret_value().encode()
        self._limits = BodyLimits(settings.api_max_body_bytes, settings.api_body_deadline_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, make sure that it gets a response, and measure it."""
        began = time.perf_counter()
        trace = Trace.of(scope["headers"])
        current_trace.set(trace)
        if self._tracing is not None and scope["path"] not in _NOT_TRACED:
            trace.serve(self._tracing, scope)
        status, complete = 0, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                correlation = (b"x-correlation-id", trace.correlation_id.encode())
                message["headers"] = [*message.get("headers", ()), correlation, *_SECURITY_HEADERS]
            else:
                complete = not message.get("more_body", False)
            await send(message)

        try:
            if (rejection := self._rejection(scope)) is not None:
                await rejection.response()(scope, receive, send_with_headers)
            else:
                await self._app(scope, self._limits.applied_to(receive), send_with_headers)
        except Exception:
            log.exception("request.failed", extra={"method": scope["method"], "path": scope["path"][:200]})
            if not status:
                await ProblemError(INTERNAL_ERROR).response()(scope, receive, send_with_headers)
            elif not complete:
                raise
        finally:
            self._metrics.observe(scope, status or 500, time.perf_counter() - began)
            trace.served(scope, status or 500)

    def _rejection(self, scope: Scope) -> ProblemError | None:
        """Return the problem of a request that goes no further: its token (RFC 6750), or its Content-Length."""
        length, credentials = 0, []
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                length = int(value)
            elif name == b"authorization":
                credentials.append(value)
        if self._token is not None and scope["path"] not in OPEN_PATHS and not self._is_token(credentials):
            return ProblemError(UNAUTHORIZED, headers={"WWW-Authenticate": 'Bearer realm="order-api"'})
        return self._limits.too_large() if length > self._limits.max_bytes else None

    def _is_token(self, credentials: list[bytes]) -> bool:
        if len(credentials) != 1 or self._token is None:
            return False
        scheme, _, token = credentials[0].partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)

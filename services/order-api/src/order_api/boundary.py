"""The edge of the service, as ASGI middleware: every request gets a trace, every answer the headers that protect it,
and whatever broke below becomes a 500 that says nothing of it. The one broad `except` of this service is here.
"""

import logging
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_api.problem import INTERNAL_ERROR, problem_response
from order_api.trace import current_trace, trace_from

log = logging.getLogger(__name__)

# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
_PROTECTION: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class Boundary:
    """The outermost of our middlewares but for the metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and see to it that there is an answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        trace = trace_from(
            headers.get(b"traceparent", b"").decode("latin-1"), headers.get(b"x-correlation-id", b"").decode("latin-1")
        )
        current_trace.set(trace)
        started = False

        async def send_protected(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                correlation = (b"x-correlation-id", trace.correlation_id.encode())
                message["headers"] = [*message.get("headers", ()), correlation, *_PROTECTION]
            await send(message)

        try:
            await self._app(scope, receive, send_protected)
        except Exception:
            if started:
                raise
            log.exception("request.failed", extra={"method": scope["method"], "path": scope["path"][:200]})
            failure = problem_response(INTERNAL_ERROR, "The log has the cause, under this X-Correlation-ID.")
            await failure(scope, receive, send_protected)

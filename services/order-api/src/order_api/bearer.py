"""Who may come in: one bearer token, when one is set. ASGI middleware.

https://www.rfc-editor.org/rfc/rfc6750
"""

import hmac
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from order_api.problem import UNAUTHORIZED, problem_response

# Probes carry no token, and what the API is may be read by anybody; what it knows may not.
OPEN_PATHS: Final = frozenset(("/healthz", "/readyz", "/openapi.json", "/docs"))


class BearerGate:
    """Answers 401 to a request without the token, except for the open paths."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._admits(scope):
            await self._app(scope, receive, send)
            return
        refusal = problem_response(
            UNAUTHORIZED,
            "Send the header Authorization: Bearer, with the API's token.",
            headers={"WWW-Authenticate": 'Bearer realm="order-api"'},
        )
        await refusal(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        credentials = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(credentials) != 1:
            return False
        scheme, _, token = credentials[0].partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)

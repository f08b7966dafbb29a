"""The application between the HTTP server and the router of a durable engine: it answers after the commit.

While commits fail (the disk is full) it answers 503 to each request that could change something, before it is handled.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable

from localbus.http.message import App, Request, Response
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import NotStoredError

_READS = re.compile(r"Get|List|Describe|BatchGet|Query|Scan|TransactGet|Check|Test|Validate|Estimate")
_CODE = "ServiceUnavailable"


class AfterCommit:
    """Answers by the app, once everything that the app has changed is on disk."""

    def __init__(self, app: App, storage: DurableStorage) -> None:
        self._app = app
        self._storage = storage
        self.wants_stream = app.wants_stream

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer by the app; 503 if the answer could not be kept."""
        storage = self._storage
        if storage.failure is not None:
            if _only_reads(request):
                return self._app.handle(request)
            reason = storage.retry_now()
            if reason is not None:
                return _not_stored(request, reason)
        response = self._app.handle(request)
        if isinstance(response, Response) and not storage.is_pending:
            return response
        return self._later(request, response)

    async def _later(self, request: Request, response: Response | Awaitable[Response]) -> Response:
        if not isinstance(response, Response):
            response = await response
        try:
            await self._storage.stored()
        except NotStoredError as exc:
            return _not_stored(request, str(exc))
        return response


def _only_reads(request: Request) -> bool:
    target = request.header(b"x-amz-target")
    if not target and request.method in {"GET", "HEAD", "OPTIONS"} and "Action" not in request.query:
        return True
    return _READS.match(target.rpartition(".")[2] or request.form.get("Action", "")) is not None


def _not_stored(request: Request, reason: str) -> Response:
    """Return the error in the form of the request's protocol. SDKs retry it."""
    text = f"Not stored: {reason}. What was acknowledged is kept; free space on the disk, and send it again."
    headers = [(b"Retry-After", b"1"), (b"x-amzn-ErrorType", _CODE.encode())]
    if request.is_form:
        error = f"<Type>Receiver</Type><Code>{_CODE}</Code><Message>{html.escape(text, quote=False)}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()
        return Response(503, [(b"Content-Type", b"text/xml"), *headers], body)
    body = json.dumps({"__type": _CODE, "message": text}).encode()
    return Response(503, [(b"Content-Type", b"application/json"), *headers], body)

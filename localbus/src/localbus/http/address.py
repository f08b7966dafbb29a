"""The address of the engine that its answers show, where it is not that of the Host header."""

from __future__ import annotations

from collections.abc import Awaitable

from localbus.http.message import App, Request, Response


class Address:
    """Sets the base URL of every request: the public URL, else https with the host that the client used."""

    def __init__(self, app: App, public_url: str | None) -> None:
        self._app = app
        self._public_url = public_url
        self.wants_stream = app.wants_stream

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer by the app."""
        request.base_url = self._public_url or f"https://{request.header(b'host') or 'localhost'}"
        return self._app.handle(request)

"""A web server that records requests, for tests of what posts to endpoints."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Received(NamedTuple):
    """A request that a web server received."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class WebServer:
    """A server that records requests. It answers with `answers`, else the next of `statuses`, else 200.

    With a `challenge`, the value of WWW-Authenticate, it answers 401 to requests without credentials.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.requests: list[Received] = []
        self.statuses: list[int] = []
        self.challenge: str | None = None
        self.answers: dict[tuple[str, str], tuple[int, bytes]] = {}
        server = self
        self._server = ThreadingHTTPServer((host, 0), BaseHTTPRequestHandler)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.command, self.path, headers, self.rfile.read(length).decode())
                status, body = server._record(request)
                self.send_response(status)
                if status == 401 and server.challenge is not None:
                    self.send_header("WWW-Authenticate", server.challenge)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_given: object) -> None:
                """Log nothing."""

        self._server.RequestHandlerClass = Handler
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def _record(self, request: Received) -> tuple[int, bytes]:
        self.requests.append(request)
        if self.challenge is not None and "authorization" not in request.headers:
            return 401, b""
        fixed = self.answers.get((request.method, request.path))
        if fixed is not None:
            return fixed
        return (self.statuses.pop(0) if self.statuses else 200), b""

    def stop(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

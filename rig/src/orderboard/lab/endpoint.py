"""An HTTP endpoint of this machine for experiments: answers with given statuses, and keeps what it got."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HttpEndpoint:
    """Answers with the statuses in turn, the last one for ever. Requests: {"headers", "body", "json"}."""

    def __init__(self, statuses: list[int], host: str) -> None:
        self._statuses = list(statuses)
        self._requests: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Takes a POST."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("utf-8", "replace")
                self.send_response(outer._status())
                self.send_header("Content-Length", "0")
                self.end_headers()
                # Only then: who waits for the request may turn the clock, by which the engine's next attempt is due.
                outer._keep({name.lower(): value for name, value in self.headers.items()}, body)

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        # An engine in a container reaches this machine by an address that is not the loopback's.
        self._server = ThreadingHTTPServer((host if host == "127.0.0.1" else "0.0.0.0", 0), Handler)  # noqa: S104
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, count: int, within_s: float) -> list[dict[str, Any]]:
        """Wait for `count` requests, at most `within_s` seconds; return what came."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._requests) >= count, within_s)
            return list(self._requests)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _status(self) -> int:
        with self._changed:
            return self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]

    def _keep(self, headers: dict[str, str], body: str) -> None:
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        with self._changed:
            self._requests.append({"headers": headers, "body": body, "json": document})
            self._changed.notify_all()

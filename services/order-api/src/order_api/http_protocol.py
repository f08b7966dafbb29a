"""HTTP/1.1 of uvicorn and httptools, where ours differs from it.

An offered upgrade is ignored, as a server may (https://www.rfc-editor.org/rfc/rfc9110#section-7.8): the HttpClient of
Java makes one with every request over plain HTTP. httptools ends such a request at its headers, so an order would be
refused and a cancellation accepted without its reason.

Trailers are no headers (https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1): one could name another Idempotency-Key.

What is not HTTP gets its 400 only if no request before it waits for a response: the client would take it for that.

The writes of a turn are joined.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_UPGRADE: Final = b"upgrade"


class _JoinedWrites:
    """A transport that sends all writes of one turn of the event loop together.

    uvicorn writes head and body of a response separately, and uvloop sends each at once: twice a system call here, and
    twice a wakeup of the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data at the end of this turn."""
        if not self._pieces:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()


class HttpProtocol(HttpToolsProtocol):
    """A connection. A request with an Upgrade is parsed a second time without it."""

    _running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; the writes are joined."""
        super().connection_made(cast("asyncio.Transport", _JoinedWrites(transport)))

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        rest: bytes | None = data
        while rest is not None:
            rest = self._parse(rest)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. Whitespace around a value is not a part of it; httptools strips only that before it."""
        super().on_header(name, value.rstrip(b" \t"))  # https://www.rfc-editor.org/rfc/rfc9110#section-5.5

    def on_headers_complete(self) -> None:
        """Start the request, unless it is parsed again."""
        if not self._offers_upgrade():
            super().on_headers_complete()
            self.headers = []  # of the trailers

    def on_message_complete(self) -> None:
        """End the body, unless the request is parsed again."""
        if not self._offers_upgrade():
            super().on_message_complete()

    def _parse(self, data: bytes) -> bytes | None:
        """Return what is left of a request whose upgrade is ignored."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as exc:
            if self._offers_upgrade():
                head, read = self._head_without_upgrade(), exc.args[0]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
                return head + data[read:]
        except httptools.HttpParserError:
            self._refuse()
        return None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _refuse(self) -> None:
        """Respond to what is not HTTP, or close the connection after the response to the last whole request."""
        begun = [self._running] if self._running is not None and not self._running.response_complete else []
        whole = [cycle for cycle in (*begun, *(each for each, _ in reversed(self.pipeline))) if not cycle.more_body]
        if not whole:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()
        whole[-1].keep_alive = False

    def _offers_upgrade(self) -> bool:
        return self.parser.should_upgrade() and any(name == _UPGRADE for name, _ in self.headers)

    def _head_without_upgrade(self) -> bytes:
        request_line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b" % (name, value) for name, value in self.headers if name != _UPGRADE]
        return b"\r\n".join([request_line, *headers, b"", b""])

"""HTTP/1.1 of uvicorn and httptools, where ours differs: whitespace after a header, offers of an upgrade, writes.

An upgrade is an offer that a server may ignore (https://www.rfc-editor.org/rfc/rfc9110#section-7.8), and the HttpClient
of Java makes one with every request over plain HTTP. httptools ends such a request at its headers, so an order would be
refused and a cancellation accepted without its reason.
"""

import asyncio
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
        return None

    def _offers_upgrade(self) -> bool:
        return self.parser.should_upgrade() and any(name == _UPGRADE for name, _ in self.headers)

    def _head_without_upgrade(self) -> bytes:
        request_line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b" % (name, value) for name, value in self.headers if name != _UPGRADE]
        return b"\r\n".join([request_line, *headers, b"", b""])

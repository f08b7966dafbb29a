"""HTTP/1.1 connections to an AWS endpoint for the calls that every order needs.

A request is one write, a response one future. aiohttp, which aiobotocore uses, makes and checks some thirty objects for
each request, so that half of a call's processor time goes there. Failures raise what aiobotocore would raise.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httptools
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.httpsession import create_urllib3_context, get_cert_path

from orderboard_aws_client.lean import AioAWSResponse

# The endpoints of AWS close idle connections after about 20 s; aiobotocore's own connections live as long.
_IDLE_S: Final = 12.0


@dataclass
class Response:
    """A response. Header names are lower-case."""

    status_code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    def for_botocore(self, url: str) -> Any:
        """Return it in the form in which aiobotocore reads responses."""
        response: Any = AioAWSResponse(url, self.status_code, self.headers, None)  # type: ignore[arg-type]
        response._content = self.content
        return response


class Connections:
    """Connections to the endpoint of a client. Callers bound the number of their calls."""

    def __init__(self, url: str, *, connect_timeout_s: float, read_timeout_s: float, verify: bool | str | None) -> None:
        parts = urlsplit(url)
        self._url = url
        self._host, self._tls = str(parts.hostname), parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._connect_timeout_s, self._read_timeout_s = connect_timeout_s, read_timeout_s
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._idle: list[_Connection] = []

    async def post(self, request: bytes) -> Response:
        """Send a request and return its response; raise HTTPClientError, of botocore."""
        connection = self._reused() or await self._connected()
        try:
            response = await connection.exchange(request, self._read_timeout_s)
        except BaseException:  # of a cancelled call too: its response may still come
            connection.abort()
            raise
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.abort()
        return response

    def close(self) -> None:
        """Close the connections that wait for a request."""
        while self._idle:
            self._idle.pop().abort()

    def _reused(self) -> "_Connection | None":
        """Return the connection that was used last, unless it has been closed or has waited too long."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and now - connection.used_at < _IDLE_S:
                return connection
            connection.abort()
        return None

    async def _connected(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        if self._tls and self._context is None:
            self._context = await asyncio.to_thread(_tls_context, self._verify)
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._url), self._host, self._port, ssl=self._context
                )
        except TimeoutError as exc:
            raise ConnectTimeoutError(endpoint_url=self._url, error=exc) from exc
        except OSError as exc:
            raise EndpointConnectionError(endpoint_url=self._url, error=exc) from exc
        return connection


def _tls_context(verify: Any) -> ssl.SSLContext:
    """The context that botocore uses: `verify` is False, True, or the path of a bundle."""
    context: ssl.SSLContext = create_urllib3_context()
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.check_hostname = True
        context.load_verify_locations(get_cert_path(True if verify is None else verify))
    return context


class _Connection(asyncio.Protocol):
    """A connection: one exchange after the other. httptools calls the methods that begin with on_."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: Any = None
        self._exchange: asyncio.Future[Response] | None = None
        self._response = Response()
        self._pieces: list[bytes] = []
        self._silent = True  # since the last look at the time
        self._timer: asyncio.TimerHandle | None = None
        self.reusable = True
        self.used_at = 0.0

    async def exchange(self, request: bytes, timeout_s: float) -> Response:
        """Send a request and return its response; timeout_s bounds the time without a byte of it."""
        self._exchange = self._loop.create_future()
        self._silent = True
        self._timer = self._loop.call_later(timeout_s, self._look, timeout_s)
        self._transport.write(request)
        try:
            return await self._exchange
        finally:
            self._timer.cancel()
            self._exchange = None

    def abort(self) -> None:
        """Close the connection at once."""
        self.reusable = False
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse; a response that is not HTTP, or that nobody asked for, ends the connection."""
        self._silent = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(HTTPClientError(error=exc))
        if self._exchange is None:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the exchange under way."""
        self._fail(ConnectionClosedError(endpoint_url=self._url, error=exc))

    def on_message_begin(self) -> None:
        """Begin a response."""
        self._response, self._pieces = Response(), []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._response.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """End the exchange."""
        response = self._response
        response.status_code = self._parser.get_status_code()
        response.content = b"".join(self._pieces)
        self.used_at = self._loop.time()
        if self._exchange is None or self._exchange.done():
            self.reusable = False
        else:
            self.reusable = self._parser.should_keep_alive()
            self._exchange.set_result(response)

    def _look(self, timeout_s: float) -> None:
        if self._silent:
            self._fail(ReadTimeoutError(endpoint_url=self._url))
        else:
            self._silent = True
            self._timer = self._loop.call_later(timeout_s, self._look, timeout_s)

    def _fail(self, failure: Exception) -> None:
        self.reusable = False
        if self._exchange is not None and not self._exchange.done():
            self._exchange.set_exception(failure)

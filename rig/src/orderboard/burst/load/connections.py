"""The generator's connections to order-api.

A general client makes and checks some thirty objects for each request, which took more than half of the generator's
processor time. Redirects are answers like others, proxies are not used, and compressed answers are not asked for.
"""

import asyncio
import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import aiohappyeyeballs

from orderboard.burst.load.http_connection import Done, HttpAnswer, HttpConnection, NoAnswer

_CONNECTED_WITHIN_S, _ANSWER_WITHIN_S = 15.0, 15.0  # both from the moment at which an order is due
_LOOK_EVERY_S: Final = 0.5
# Below order-api's 30 s, so that no order is sent on a connection that is just being closed.
_KEEP_ALIVE_S: Final = 15.0
_RESOLVED_FOR_S: Final = 10.0
_NEXT_ADDRESS_AFTER_S: Final = 0.25
_PATH_CHARACTERS: Final = "/%!$&'()*+,;=:@"


class Connections:
    """Connections to one server, as many as there are requests under way. headers: of every request."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = quote(parts.path.rstrip("/"), safe=_PATH_CHARACTERS)
        login, _, host = parts.netloc.rpartition("@")
        basic = {"Authorization": f"Basic {b64encode(unquote(login).encode()).decode()}"} if login else {}
        lines = {"Host": host.encode("idna").decode(), **basic, **headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
        self._idle: list[HttpConnection] = []
        self._busy: set[HttpConnection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None
        self._addresses: list[Any] = []
        self._resolved_until = 0.0
        self._resolving = asyncio.Lock()

    def head(self, method: str, path: str) -> bytes:
        """Return the beginning of a request, without the end of its headers."""
        return f"{method} {self._path}/{path} HTTP/1.1\r\n".encode() + self._headers

    def send(self, request: bytes, done: Done) -> None:
        """Send a request, on the connection that was used last if one is free."""
        now = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.used_at < _KEEP_ALIVE_S:
                self._start(connection, request, done, now)
                return
            connection.abort()
        task = asyncio.get_running_loop().create_task(self._connect(request, done, now))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def exchange(self, request: bytes) -> HttpAnswer | NoAnswer:
        """Send a request and wait for its end."""
        ended: asyncio.Future[HttpAnswer | NoAnswer] = asyncio.get_running_loop().create_future()

        def done(result: HttpAnswer | NoAnswer) -> None:
            if not ended.done():
                ended.set_result(result)

        self.send(request, done)
        return await ended

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._idle, *self._busy):
            connection.abort()
        if self._look is not None:
            self._look.cancel()

    def _ended(self, connection: HttpConnection) -> None:
        """Keep a connection for the next request, unless it is of no more use."""
        self._busy.discard(connection)
        if connection.is_open:
            self._idle.append(connection)
        else:
            connection.abort()

    def _start(self, connection: HttpConnection, request: bytes, done: Done, since: float) -> None:
        self._busy.add(connection)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._end_overdue)
        connection.send(request, done, since)

    async def _connect(self, request: bytes, done: Done, since: float) -> None:
        try:
            async with asyncio.timeout(_CONNECTED_WITHIN_S):
                connection = await self._connected()
        except TimeoutError:
            reason = f"no connection within {_CONNECTED_WITHIN_S:g} s"
        except OSError as exc:
            reason = f"no connection: {_reason(exc)}"
        else:
            self._start(connection, request, done, since)
            return
        done(NoAnswer(reason, time.monotonic(), sent=False))

    async def _connected(self) -> HttpConnection:
        """Connect to the next address, or to one after it if that does not answer at once (RFC 8305)."""
        loop = asyncio.get_running_loop()
        async with self._resolving:
            if time.monotonic() > self._resolved_until:
                self._addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                self._resolved_until = time.monotonic() + _RESOLVED_FOR_S
        self._addresses.append(self._addresses.pop(0))  # a load balancer has several, which share the load
        sock = await aiohappyeyeballs.start_connection(
            self._addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S, interleave=1, loop=loop
        )
        name = None if self._tls is None else self._host
        _, connection = await loop.create_connection(
            lambda: HttpConnection(self._ended), sock=sock, ssl=self._tls, server_hostname=name
        )
        return connection

    def _end_overdue(self) -> None:
        self._look = None
        overdue = time.monotonic() - _ANSWER_WITHIN_S
        for connection in [each for each in self._busy if each.since < overdue]:
            connection.fail(f"no answer within {_ANSWER_WITHIN_S:g} s")
        if self._busy:
            self._look = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._end_overdue)


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)  # without the address, so that equal reasons are equal

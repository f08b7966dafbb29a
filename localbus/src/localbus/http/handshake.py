"""A connection during its TLS handshake. A server can end it, which the TLS of the event loop does not permit."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast


class OpenConnection(Protocol):
    """A connection of a server, in or after its handshake."""

    async def end(self) -> None:
        """Drop the connection and wait until it and its request have ended."""


class Handshake(asyncio.Protocol):
    """A connection until TLS is agreed. Then the protocol that `make` returns has it, with what was sent early."""

    def __init__(
        self, context: ssl.SSLContext, make: Callable[[], asyncio.Protocol], connections: set[OpenConnection]
    ) -> None:
        self._context = context
        self._make = make
        self._connections = connections
        self._early = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._task = asyncio.ensure_future(self._agree())

    def data_received(self, data: bytes) -> None:
        """Keep what arrives with the end of the handshake."""
        self._early += data

    async def end(self) -> None:
        """Drop the connection and wait until the handshake has ended."""
        self._transport.abort()
        await asyncio.wait([self._task])

    async def _agree(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(self._transport, self, self._context, server_side=True)
        except OSError:
            return  # the client does not trust the certificate, has left, or speaks no TLS
        finally:
            self._connections.discard(self)
        if transport is None or transport.is_closing():
            return
        connection = self._make()
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if self._early:
            connection.data_received(bytes(self._early))

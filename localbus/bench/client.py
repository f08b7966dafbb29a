"""The one client for every engine: ready-made requests go out, and answers are taken apart no more than needed.

Requests are unsigned but name credentials, as every SDK's do. The client costs a fraction of what a server does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from engines import HOST

_SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
_JSON = {"sqs": ("AmazonSQS", "1.0"), "events": ("AWSEvents", "1.1")}


def json_request(service: str, action: str, document: Mapping[str, Any] | bytes) -> bytes:
    """A request of AWS JSON."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    prefix, version = _JSON[service]
    kind = f"application/x-amz-json-{version}\r\nX-Amz-Target: {prefix}.{action}"
    return _request(service, kind, body)


def form_request(service: str, action: str, parameters: Mapping[str, str]) -> bytes:
    """A request of the Query protocol."""
    body = urlencode({"Action": action, "Version": "2010-03-31", **parameters}).encode()
    return _request(service, "application/x-www-form-urlencoded; charset=utf-8", body)


def _request(service: str, kind: str, body: bytes) -> bytes:
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\nAuthorization: {_SCOPE.format(service)}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class RefusedError(Exception):
    """An engine answered with an error."""


class _Wire(asyncio.Protocol):
    """A connection that has at most one request under way."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._pieces = bytearray()
        self._length = -1
        self._refused = False
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the server has ended the connection"))

    def data_received(self, data: bytes) -> None:
        self._pieces += data
        if self._length < 0:
            end = self._pieces.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._pieces[:end]).lower()
            self._length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            self._refused = not head.startswith(b"http/1.1 200")
            del self._pieces[: end + 4]
        if len(self._pieces) >= self._length and self._answer is not None and not self._answer.done():
            body = bytes(self._pieces)
            self._pieces.clear()
            self._length = -1
            if self._refused:
                self._answer.set_exception(RefusedError(body.decode("utf-8", "replace")[:500]))
            else:
                self._answer.set_result(body)

    def send(self, request: bytes) -> asyncio.Future[bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        self._transport.close()


class Client:
    """A connection that is opened anew when the server has ended it, as servers do with well-used ones."""

    def __init__(self, port: int, wire: _Wire) -> None:
        self._port = port
        self._wire = wire

    @classmethod
    async def connect(cls, port: int) -> Client:
        """Open a connection."""
        return cls(port, await _open(port))

    async def call(self, request: bytes) -> bytes:
        """The body of the answer; raises RefusedError."""
        try:
            if self._wire.is_open:
                return await self._wire.send(request)
        except ConnectionResetError:
            pass
        self._wire = await _open(self._port)
        return await self._wire.send(request)

    async def json(self, service: str, action: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """A call whose speed does not matter."""
        answer = await self.call(json_request(service, action, document))
        return dict(json.loads(answer)) if answer else {}

    def close(self) -> None:
        """End the connection."""
        self._wire.close()


async def _open(port: int) -> _Wire:
    _, wire = await asyncio.get_running_loop().create_connection(_Wire, HOST, port)
    return wire

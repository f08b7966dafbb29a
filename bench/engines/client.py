"""The client for every engine: sends prepared requests, and parses responses no more than necessary.

Requests are unsigned but name credentials, as every SDK's do. The client needs a fraction of a server's CPU time.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from engines.engine import HOST

_SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
_JSON = {"sqs": ("AmazonSQS", "1.0"), "events": ("AWSEvents", "1.1"), "dynamodb": ("DynamoDB_20120810", "1.0")}


def json_request(service: str, action: str, document: Mapping[str, Any] | bytes) -> bytes:
    """A request in the AWS JSON protocol."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    prefix, version = _JSON[service]
    kind = f"application/x-amz-json-{version}\r\nX-Amz-Target: {prefix}.{action}"
    return _request(service, kind, body)


def form_request(service: str, action: str, parameters: Mapping[str, str]) -> bytes:
    """A request in the Query protocol."""
    body = urlencode({"Action": action, "Version": "2010-03-31", **parameters}).encode()
    return _request(service, "application/x-www-form-urlencoded; charset=utf-8", body)


def _request(service: str, kind: str, body: bytes) -> bytes:
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\nAuthorization: {_SCOPE.format(service)}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class RefusedError(Exception):
    """An engine's error response."""


class _Connection(asyncio.Protocol):
    """A connection with at most one request in progress."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._pieces = bytearray()
        self._length = -1
        self._is_error = False
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._pieces += data
        if self._length < 0:
            end = self._pieces.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._pieces[:end]).lower()
            self._length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            self._is_error = not head.startswith(b"http/1.1 200")
            del self._pieces[: end + 4]
        if len(self._pieces) >= self._length and self._answer is not None and not self._answer.done():
            body = bytes(self._pieces)
            self._pieces.clear()
            self._length = -1
            if self._is_error:
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
    """A connection that reconnects when the server has closed it."""

    def __init__(self, port: int, connection: _Connection) -> None:
        self._port = port
        self._connection = connection

    @classmethod
    async def connect(cls, port: int) -> "Client":
        """Open a connection."""
        return cls(port, await _open(port))

    async def call(self, request: bytes) -> bytes:
        """Send a request; the body of the response. Raises RefusedError."""
        try:
            if self._connection.is_open:
                return await self._connection.send(request)
        except ConnectionResetError:
            pass
        self._connection = await _open(self._port)
        return await self._connection.send(request)

    async def json(self, service: str, action: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action of AWS JSON, at any speed."""
        answer = await self.call(json_request(service, action, document))
        return dict(json.loads(answer)) if answer else {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


async def _open(port: int) -> _Connection:
    _, connection = await asyncio.get_running_loop().create_connection(_Connection, HOST, port)
    return connection

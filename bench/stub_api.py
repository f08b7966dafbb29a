"""A stub of order-api with a known delay: what a load generator measures beyond it, the generator adds itself.

Run: python bench/stub_api.py PORT [--delay-ms 5] [--tail-ms 50 --tail-every 100]. It answers every request 202.
"""

import argparse
import asyncio
from typing import Final, cast

import httptools
import uvloop

_BODY: Final = b'{"order_id":"%08x-0000-7000-8000-000000000000","total_cents":700,"currency":"EUR"}'
_HEAD: Final = (
    b"HTTP/1.1 202 Accepted\r\nLocation: /orders/%08x-0000-7000-8000-000000000000\r\n"
    b"Content-Length: %d\r\nContent-Type: application/json\r\nX-Correlation-Id: %032x\r\n\r\n"
)


class Stub:
    """The answers: after the delay, and every so many after the tail's."""

    def __init__(self, delay_s: float = 0.0, tail_s: float = 0.0, tail_every: int = 0) -> None:
        self._delay_s, self._tail_s, self._tail_every = delay_s, tail_s, tail_every
        self._answered = 0

    def next(self) -> tuple[bytes, float]:
        """Return an answer, and after how many seconds it is due."""
        self._answered += 1
        number = self._answered
        body = _BODY % number
        tail = self._tail_every and number % self._tail_every == 0
        return _HEAD % (number, len(body), number) + body, self._tail_s if tail else self._delay_s


class _Connection(asyncio.Protocol):
    """A connection to one client. httptools calls the methods that begin with on_."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        answer, delay_s = self._stub.next()
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(port: int, stub: Stub) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(stub), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--tail-ms", type=float, default=0.0)
    parser.add_argument("--tail-every", type=int, default=0, help="every so many requests, and not the delay")
    given = parser.parse_args()
    uvloop.run(_serve(given.port, Stub(given.delay_ms / 1000, given.tail_ms / 1000, given.tail_every)))


if __name__ == "__main__":
    main()

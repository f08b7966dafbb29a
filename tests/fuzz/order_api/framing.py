"""Orders whose requests are pipelined, cut off, or framed as no client should."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from fuzz.order_api import bodies
from fuzz.order_api.connection import Request, chunked
from fuzz.order_api.customer import Customer

_CODINGS: Final = [
    b"chunked", b"Chunked", b"gzip, chunked", b"chunked, chunked", b"identity", b"xchunked", b" chunked", b"\x0bx",
]  # fmt: skip
_TYPES: Final = [
    b"Content-Type: application/json",
    b"Content-Type : application/json",
    b"Content-Type:application/json",
]
_VERSIONS: Final = [b"1.1", b"1.1", b"1.1", b"1.1", b"1.0", b"2.0", b"0.9", b"1.1 x", b"1.10"]
_LAST_LINES: Final = [[], [], [], [b" folded"], [b"No-Colon"], [b": empty"], [b"A\x00B: x"], [b"Upgrade: h2c"]]


async def framing(customer: Customer) -> None:
    """Place orders that are pipelined, cut off, or framed as no client should."""
    rng = customer.rng
    requests = [
        Request("POST", headers=customer.headers(), body=bodies.respelt(bodies.order(rng), rng))
        for _ in range(rng.randrange(2, 6))
    ]
    request = customer.with_id(requests[0])
    encoded = request.encoded()
    match rng.randrange(4):
        case 0:
            await customer.send(*requests[1:], pieces=rng.choice((1, 2, 7)))
        case 1:
            await customer.abandon(request, rng.choice((None, rng.randrange(1, len(encoded)))))
        case 2:
            flipped = bytearray(encoded)
            flipped[rng.randrange(encoded.index(b"X-Correlation-ID"))] = rng.choice(b"\r\n\x00\xff :;,\x7f")
            await customer.send_oddly(replace(request, framing=bytes(flipped), doubtful=True))
        case _:
            await customer.send_oddly(replace(request, framing=_framed(request, rng), doubtful=True))


def _framed(request: Request, rng: random.Random) -> bytes:
    """Return a request with an odd length, an odd transfer coding, or both, and with other oddities in its head."""
    body = request.body
    head = [b"Host: x", rng.choice(_TYPES)]
    kind = rng.choice(("length", "coding", "both"))
    if kind != "coding":
        head += [b"Content-Length: " + rng.choice(_lengths(len(body))) for _ in range(rng.choice((1, 1, 2)))]
    if kind != "length":
        head += [b"Transfer-Encoding: " + rng.choice(_CODINGS)]
    rng.shuffle(head)
    head += [*rng.choice(_LAST_LINES), b"X-Correlation-ID: " + request.correlation_id.encode()]
    end = rng.choice((b"\r\n", b"\r\n", b"\r\n", b"\n"))
    sent = body if kind == "length" else rng.choice(_chunkings(body))
    return end.join([b"POST /orders HTTP/" + rng.choice(_VERSIONS), *head, b"", sent])


def _lengths(size: int) -> list[bytes]:
    exact = b"%d" % size
    odd = [b"+%d" % size, b"-1", b"0x%x" % size, b"%d, %d" % (size, size), b"9" * 30, b"%d.0" % size, b"\xd9\xa3", b""]
    return [exact, exact, exact, b" %d " % size, b"%d" % (size + 1), b"%d" % (size - 1), *odd]


def _chunkings(body: bytes) -> list[bytes]:
    size, half, one = len(body), chunked(body, (len(body) // 2,)), chunked(body, ())
    return [
        chunked(body, (10, 20)),
        chunked(body, (1,) * 50, extension=b";a=b"),
        chunked(body, (), trailer=b"X-Correlation-ID: late\r\nIdempotency-Key: late\r\n"),
        half[:-7],
        one.replace(b"%x" % size, b"0x%x" % size, 1),
        one.replace(b"%x" % size, b"%x" % (size + 1), 1),
        one.replace(b"%x" % size, b"%x" % (size - 1), 1),
        one.replace(b"\r\n", b"\n"),
        b"f" * 17 + b"\r\n" + body,
        b"-5\r\n" + body,
    ]

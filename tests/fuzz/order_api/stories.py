"""Stories: what a customer does in one go. Most are one odd request; some are about several."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from fuzz.order_api import bodies
from fuzz.order_api.connection import Headers, Request
from fuzz.order_api.customer import JSON, Customer
from fuzz.order_api.framing import framing
from fuzz.order_api.reading import listing, reading
from orderboard_contracts.identity import order_id_for

Story = Callable[[Customer], Awaitable[None]]

_TYPES: Final = [
    b"application/json", b"Application/JSON; Charset=UTF-8", b'application/json;charset="utf-8"', b"application/json;",
    b"", b"text/plain", b"text/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"json",
    b"application/json; charset=utf-16", b"application/json, text/plain", b"application/vnd.api+json", b"\xff", b"*/*",
    b"application/json; charset=utf-8; charset=utf-16", b"application/cloudevents+json", b"application/json;charset=",
]  # fmt: skip
_HEADERS: Final[list[tuple[bytes, bytes]]] = [
    *((b"If-Match", b'"x"'), (b"If-None-Match", b"*"), (b"If-Modified-Since", b"yesterday"), (b"Range", b"bytes=0-1")),
    *((b"If-Unmodified-Since", b"Thu, 01 Jan 1970 00:00:00 GMT"), (b"If-Range", b"x"), (b"Prefer", b"respond-async")),
    *((b"Accept", b"text/html"), (b"Accept", b"application/json;q=0"), (b"Accept-Encoding", b"br;q=1, gzip;q=0")),
    *((b"Accept-Charset", b"utf-16"), (b"Origin", b"null"), (b"Origin", b"https://evil.example"), (b"Cookie", b"\xff")),
    *((b"X-HTTP-Method-Override", b"DELETE"), (b"X-Forwarded-For", b"1.2.3.4"), (b"Forwarded", b"for=x")),
    *((b"Authorization", b"Bearer \xff"), (b"Authorization", b""), (b"Connection", b"keep-alive, x")),
    *((b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), (b"traceparent", b"\xff" * 55)),
    *((b"traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"), (b"tracestate", b"a=" + b"b" * 9_000)),
    *((b"X-Correlation-ID", b""), (b"X-Correlation-ID", b"a" * 129), (b"X-Correlation-ID", b"\xe2\x98\x95")),
    *(
        (b"Connection", b"close"),
        (b"TE", b"trailers"),
        (b"Via", b"1.1 x"),
        (b"Max-Forwards", b"-1"),
        (b"Trailer", b"x"),
    ),
    *(
        (b"Content-Language", b"x"),
        (b"Content-MD5", b"x"),
        (b"Digest", b"x"),
        (b"X", b"x" * 50_000),
        (b"x" * 300, b"x"),
    ),
]
_UPGRADES: Final[list[Headers]] = [
    ((b"Upgrade", b"h2c"), (b"Connection", b"Upgrade, HTTP2-Settings"), (b"HTTP2-Settings", b"AAMAAABk")),
    ((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), (b"Sec-WebSocket-Version", b"13")),
    ((b"Upgrade", b"TLS/1.2"), (b"Connection", b"close, upgrade")),
]
# A server may refuse these, or read them as another request.
_DOUBTFUL: Final[list[tuple[bytes, bytes]]] = [
    *((b"Expect", b"100-continue"), (b"Expect", b"x"), (b"Host", b"evil.example"), (b"", b"x"), (b"a b", b"x")),
    *((b"Content-Encoding", b"identity"), (b"Transfer-Encoding", b"identity")),
]
_ODD_KEYS: Final = [
    b" ", b"a b", b"\xe2\x98\x95", b"\xff", b"a\tb", b"!~", b'"quoted"', b"a,b", b"../..", b"%00", b"<x>", b"\x80",
]  # fmt: skip
_PATHS: Final = [
    b"/", b"//", b"/orders/", b"//orders", b"/Orders", b"/order", b"/orders%2f", b"/%6frders", b"/orders;a=b",
    b"/orders?x=1", b"/orders??", b"/orders#x", b"/./orders", b"/menu/../orders", b"/orders/%2e%2e/orders",
    b"http://order-api/orders", b"http://[::1]/orders", b"http://", b"*", b"", b"orders", b"/%00", b"/%ff", b"/%",
    b"/" + b"x" * 60_000, b"/orders?" + b"x=y&" * 9_000, b"/openapi.json", b"/docs", b"/menu", b"/healthz", b"/readyz",
    b"/problems/invalid-request", b"/problems/%2e%2e", b"/problems/x", b"/problems/", b"/favicon.ico", b"/metrics",
    b"/orders/x/cancellation/", b"/orders//cancellation", b"/orders/%00/cancellation", b"/.git/config", b"/\xc3\xa9",
]  # fmt: skip
_METHODS: Final = [
    "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI",
    "LINK", "QUERY", "get", "POS", "",
]  # fmt: skip
_NOT_HTTP: Final = {"CONNECT", "PRI", "get", "POS", ""}


async def order(customer: Customer) -> None:
    """Place a valid order, in any spelling, plain or chunked, in one piece or in several."""
    rng = customer.rng
    body = bodies.respelt(bodies.order(rng), rng)
    chunks = tuple(rng.randrange(1, 60) for _ in range(rng.randrange(6))) if rng.random() < 0.3 else None
    request = Request("POST", headers=customer.headers(), body=body, chunks=chunks)
    await customer.send(request, pieces=rng.choice((1, 1, 1, 3, 20)))


async def odd_value(customer: Customer) -> None:
    """Place an order with an odd value in one place."""
    await customer.send(Request("POST", headers=customer.headers(), body=bodies.odd_order(customer.rng)))


async def odd_text(customer: Customer) -> None:
    """Place an order whose text is broken or unusual."""
    body = bodies.odd_text(bodies.respelt(bodies.order(customer.rng), customer.rng), customer.rng)
    await customer.send(Request("POST", headers=customer.headers(), body=body))


async def odd_headers(customer: Customer) -> None:
    """Place an order with an odd content type, an odd key, a header twice, or a header that changes other servers."""
    rng = customer.rng
    types, others = JSON, customer.headers()[1:]
    kind = rng.randrange(6)
    if kind == 0:
        types = tuple((b"Content-Type", rng.choice(_TYPES)) for _ in range(rng.choice((0, 1, 1, 1, 2))))
    elif kind == 1:
        key = customer.key()
        odd = rng.choice((b"", b" ", b"x" * 256, key.ljust(255, b"x"), *(key + each for each in _ODD_KEYS)))
        keys = [odd] if rng.random() < 0.7 else [key, rng.choice((key, odd))]
        others = tuple((b"Idempotency-Key", each) for each in keys)
    elif kind == 2:
        others += rng.choice(_UPGRADES)
    elif kind == 3:
        others += tuple((b"X-%d" % number, b"x") for number in range(rng.randrange(500)))
    elif kind == 4:
        others += (rng.choice(_DOUBTFUL),)
    else:
        others += (rng.choice(_HEADERS),)
    headers = tuple(rng.sample((*types, *others), len(types) + len(others)))
    body = bodies.respelt(bodies.order(rng), rng)
    request = customer.with_id(Request("POST", headers=headers, body=body, doubtful=kind == 4))
    await customer.send(replace(request, framing=request.encoded()) if kind == 4 else request)


async def same_key(customer: Customer) -> None:
    """Order under one key: the same order is one order however it is spelt, another one is refused, in any sequence."""
    rng, key = customer.rng, customer.key()
    first, other = bodies.order(rng), bodies.order(rng)
    orders = [first, *(rng.choice((first, first, other)) for _ in range(rng.randrange(1, 5)))]
    requests = [_under_key(key, each, customer, accepted=_same(each, first)) for each in orders]
    for batch in [[each] for each in requests] if rng.random() < 0.7 else [requests]:
        for response in await customer.send(*batch):
            if response.status == 202 and not response.headers["location"].endswith(order_id_for(key.decode())):
                customer.record.faults.append(f"another order id for the key {key!r}\n  {customer.repeat}")


def _under_key(key: bytes, made: dict[str, Any], customer: Customer, *, accepted: bool) -> Request:
    headers = (*JSON, (b"Idempotency-Key", key))
    expected = frozenset({202 if accepted else 422})
    return Request("POST", headers=headers, body=bodies.respelt(made, customer.rng), expected=expected)


def _same(made: dict[str, Any], other: dict[str, Any]) -> bool:
    defaults = {"note": None, "priority": "normal"}
    return {**defaults, **made} == {**defaults, **other}


async def address(customer: Customer) -> None:
    """Send any method to any address."""
    rng = customer.rng
    target, method = rng.choice(_PATHS), rng.choice(_METHODS)
    if rng.random() < 0.3:
        target = b"/orders/" + rng.choice((b"", _order_id(customer))) + rng.choice((b"", b"/cancellation", b"/x", b"/"))
    body = bodies.respelt(bodies.order(rng), rng) if method == "POST" else b""
    request = customer.with_id(Request(method, target, JSON if body else (), body, doubtful=True))
    is_http = target.startswith(b"/") and target.isascii() and method not in _NOT_HTTP
    await customer.send(request if is_http else replace(request, framing=request.encoded()))


async def cancellation(customer: Customer) -> None:
    """Cancel an order: one that was placed, or one that was not."""
    rng = customer.rng
    reasons = ("changed my mind", None, "", "🥸" * 280, "x" * 281, "\x00", 5, ["x"], "\ud800", "\u202e")
    body = json.dumps({"reason": rng.choice(reasons)}).encode()
    kind = rng.randrange(4)
    if kind == 0:
        body = rng.choice(
            (b"", b"{}", b"null", b" null ", b"[]", b'{"why": "x"}', b'{"reason": 1, "reason": "y"}', b" ")
        )
    elif kind == 1:
        body = bodies.odd_text(body, rng)
    headers = (*JSON, *(rng.choice(_UPGRADES) if rng.random() < 0.1 else ()))
    target = b"/orders/" + _order_id(customer) + b"/cancellation"
    await customer.send(Request("POST", target, headers if body or rng.random() < 0.5 else (), body))


def _order_id(customer: Customer) -> bytes:
    rng, placed = customer.rng, list(customer.record.orders)[-1000:]
    return (rng.choice(placed) if placed and rng.random() < 0.5 else str(uuid.UUID(int=rng.getrandbits(128)))).encode()


STORIES: Final[dict[Story, int]] = {
    order: 15,
    odd_value: 16,
    odd_text: 18,
    odd_headers: 14,
    same_key: 5,
    framing: 8,
    address: 8,
    cancellation: 7,
    reading: 6,
    listing: 3,
}

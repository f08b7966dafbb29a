"""Requests to the developer API and to /_aws/sqs/messages, each with one odd value in path, query string or body."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fuzz.examples import EVENT, PATTERN, QUEUE_URL
from fuzz.variations import MISSING, odd, places, replaced
from fuzz.wire import plain
from localbus.http.message import Request


class _Route(NamedTuple):
    method: str
    path: str
    query: Mapping[str, Any] = MappingProxyType({})
    body: Any = None


_JOURNAL = {"message_id": "x", "resource": "q", "event": "sent", "after": "0", "last": "5"}
_PEEK = {"QueueUrl": QUEUE_URL, "ShowInvisible": "1", "ShowDelayed": "true", "Containing": "tea"}
_RULE = {"action": "SendMessage", "kind": "latency", "probability": 0.0, "latency_ms": 5}
_DISORDER = {"seed": 7, "duplicates": 0.0, "reordering": 0.0, "queues": {"other": {"missed_polls": 0.0}}}
_ROUTES = (
    _Route("GET", "/_localbus/"),
    _Route("GET", "/_localbus/health"),
    _Route("GET", "/_localbus/journal", _JOURNAL),
    _Route("GET", "/_localbus/queues"),
    _Route("GET", "/_aws/sqs/messages", _PEEK),
    _Route("GET", "/_localbus/outbox", {"to": "ada@example.com", "protocol": "email"}),
    _Route("POST", "/_localbus/explain", {}, {"pattern": PATTERN.value, "event": EVENT.value}),
    _Route("POST", "/_localbus/explain", {}, {"pattern": PATTERN, "event": EVENT.value}),
    _Route("GET", "/_localbus/clock"),
    _Route("POST", "/_localbus/clock", {}, {"advance_s": 0.001}),
    _Route("GET", "/_localbus/faults"),
    _Route("PUT", "/_localbus/faults", {}, {"seed": 7, "rules": [_RULE]}),
    _Route("GET", "/_localbus/disorder"),
    _Route("PUT", "/_localbus/disorder", {}, _DISORDER),
)
_PATHS = ("", "/", "/x", "/..", "/%00", "/\u00e9", "?", "?follow=0", "?a=b&a=c", "?=", "?%ff=%ff", "#x")


def request(rng: random.Random) -> tuple[Request, str]:
    """Return a random request and what is odd about it."""
    route = rng.choice(_ROUTES)
    given = {"query": dict(route.query), "body": route.body}
    place = rng.choice([one for one in places(None, given) if len(one.path) > 1 or one.path == ("body",)])
    value = odd(place, rng)
    changed = replaced(given, place.path, value)
    query, body = changed["query"], changed.get("body", MISSING)
    pairs = [(name, json.dumps(item) if not isinstance(item, str) else item) for name, item in dict(query).items()]
    target = route.path + (f"?{urlencode(pairs, errors='replace')}" if pairs else "")
    if rng.random() < 0.1:
        target += rng.choice(_PATHS)
    data = b"" if body is MISSING else json.dumps(plain(body)).encode()
    data = data[: rng.randrange(len(data))] if data and rng.random() < 0.05 else data
    method = rng.choice(["HEAD", "PUT", "DELETE", "BREW"]) if rng.random() < 0.05 else route.method
    about = f"{method} {target[:80]} {'.'.join(map(str, place.path))} = {str(value)[:80]!r}"
    return Request(method, target, {b"host": b"localhost", b"content-type": b"application/json"}, [], data), about

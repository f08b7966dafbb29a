"""Random requests to EventBridge: the answer is never a server error, and the engine keeps answering."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.events.api import ACTIONS, service
from localbus.http.message import Request, Response
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Api

SHAPES = [Api("events").operation(name).input for name in ACTIONS]
ARN = "arn:aws:events:us-east-1:000000000000:"
texts = st.text(max_size=12) | st.sampled_from(
    [
        *("default", "r", "kept", "again", "1", "", "\ud800", "\x00", "events:PutEvents", "*", "000000000000"),
        *(f"{ARN}event-bus/default", f"{ARN}rule/r", f"{ARN}archive/kept", f"{ARN}connection/c/1", f"{ARN}::"),
        *("arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:sns:us-east-1:000000000000:t", "arn:::", "$.detail", "$["),
        *('{"source": ["s"]}', '{"a": [{"numeric": []}]}', "{", "[]", '{"Statement": 5}', '{"Statement": [5]}', "null"),
        *("rate(1 minute)", "cron(0 0 1 1 ? *)", "cron(,)", '"<x>"', "<aws.events.event>", "ENABLED", "s", "http://x"),
    ]
)


def values(shape: Any) -> st.SearchStrategy[Any]:
    """Build values for a shape, mostly of its type."""
    other = st.none() | st.booleans() | st.floats() | texts | st.lists(texts, max_size=2)
    match shape.type_name:
        case "structure":
            members = {name: values(member) for name, member in shape.members.items()}
            required = {name: members[name] for name in shape.required_members}
            return st.fixed_dictionaries(required, optional={n: m for n, m in members.items() if n not in required})
        case "list":
            return st.lists(values(shape.member), min_size=0, max_size=3) | other
        case "map":
            return st.dictionaries(texts, values(shape.value), max_size=3) | other
        case "integer" | "long" | "double" | "float":
            return st.integers(-5, 200) | other
        case "timestamp":
            return st.integers(0, 2**33) | st.floats(allow_nan=False, allow_infinity=False) | other
    enum = shape.metadata.get("enum")
    return st.sampled_from(enum) | texts if enum else texts | st.none()


requests = st.sampled_from(list(zip(ACTIONS, SHAPES, strict=True))).flatmap(
    lambda pair: st.tuples(st.just(pair[0]), values(pair[1]))
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine with a rule and an archive, for all examples."""
    engine = Engine(Options(), ManualClock())
    actions, caller = service(engine.events).actions, Caller()
    actions["PutRule"]({"Name": "r", "EventPattern": '{"source": ["s"]}'}, caller)
    actions["CreateArchive"]({"ArchiveName": "kept", "EventSourceArn": f"{ARN}event-bus/default"}, caller)
    return engine


async def send(engine: Engine, action: str, document: Any) -> bytes:
    """Send a request, advance the clock by a second, and return the body of the answer."""
    body = json.dumps(document).encode()
    response = engine.router.handle(Request("POST", "/", {b"x-amz-target": f"AWSEvents.{action}".encode()}, [], body))
    assert isinstance(response, Response)
    assert isinstance(response.body, bytes)
    assert response.status < 500 or b"NotImplemented" in response.body, response.body
    assert isinstance(engine.clock, ManualClock)
    engine.clock.advance(1)
    return response.body


_quietly = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=600, deadline=None, suppress_health_check=_quietly)
@given(request_=requests)
def test_any_request(engine: Engine, request_: tuple[str, Any]) -> None:
    """The answer is JSON, and what the request scheduled does not fail either."""
    body = asyncio.run(send(engine, *request_))

    json.loads(body or b"{}")

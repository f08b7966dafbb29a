"""Random requests for every action of every service: the answer is never a server error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.events import api as events_api
from localbus.http.message import Request, Response
from localbus.protocol.service import Caller
from localbus.sns import api as sns_api

ACCOUNT = "000000000000"
TEXTS = [
    *(
        "",
        "a",
        "q",
        "t",
        "b",
        "r",
        "s",
        "*",
        "true",
        "0",
        "-1",
        "1e400",
        "\x00",
        "\ud83c",
        "é🍵",
        "x" * 300,
        "{}",
        "[]",
    ),
    *(
        "null",
        "q.fifo",
        "t.fifo",
        "All",
        "String",
        "Binary",
        "sqs",
        "http",
        "json",
        "[{",
        "{",
        "<x",
        "http://[",
        ACCOUNT,
    ),
    *("$.detail", "$[", "rate(1 minute)", "cron(x)", "cron(,)", "cron(0 0 1 1 ? *)", '"<x>"', "<aws.events.event>"),
    *("10.0.0.0/33", "VisibilityTimeout", "Policy", "RedrivePolicy", "FilterPolicy", "DeliveryPolicy", "FifoTopic"),
    *("RawMessageDelivery", "events:PutEvents", "ENABLED", "kept", "default", "&a [*a]", "!Ref x", "arn:::::"),
    *(f"arn:aws:events:us-east-1:{ACCOUNT}:{name}" for name in ("rule/r", "archive/kept", "connection/c/1", ":")),
    f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default",
    f"http://localhost/{ACCOUNT}/q",
    f"http://localhost/{ACCOUNT}/q.fifo",
    f"arn:aws:sqs:us-east-1:{ACCOUNT}:q",
    f"arn:aws:sns:us-east-1:{ACCOUNT}:t",
    f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/b",
    f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
    *('{"source": ["s"]}', '{"a": [{"prefix": 5}]}', '{"a": [{"numeric": []}]}', '{"$or": []}'),
    *('{"Statement": 5}', '{"Statement": [5]}', '{"Statement": [{"Condition": 5}]}'),
    *('{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}', '{"Resources": {"Q": 5}}', '{"Resources": 5}'),
    '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Q"}}}}}',
    '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": 5, "DependsOn": {}, "Condition": []}}}',
    '{"Parameters": {"P": 5}, "Conditions": {"C": {"Fn::Equals": 5}}, "Outputs": {"o": 5}, "Resources": {}}',
    '{"Resources": {"R": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": 5, "Targets": 5}}}}',
]
garbage: st.SearchStrategy[Any] = st.sampled_from([None, True, -1, 2**70, 1.5, "", [], {}, [[]], {"a": {}}])


@cache
def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Build JSON values for a shape, and some of another type."""
    if isinstance(shape, StructureShape):
        required = {name: values(shape.members[name]) for name in shape.required_members}
        others = {name: values(member) for name, member in shape.members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=others)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member), max_size=2) | garbage
    if isinstance(shape, MapShape):
        return st.dictionaries(st.sampled_from(TEXTS), values(shape.value), max_size=2) | garbage
    if shape.type_name == "string":
        return st.sampled_from([*shape.metadata.get("enum", ()), *TEXTS])
    return st.sampled_from([0, 1, 10, -1, 43_200, 2**31, 2**70, 1e300, True, False, "x", "eHg="])


@cache
def model(service: str) -> ServiceModel:
    """Load the model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def flat(shape: Shape, value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the names and values of a form."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for member, item in value.items():
            if member in shape.members:
                yield from flat(shape.members[member], item, f"{name}.{member}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from flat(shape.member, item, f"{name}.member.{number}")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for number, (key, item) in enumerate(value.items(), 1):
            yield f"{name}.entry.{number}.key", key
            yield from flat(shape.value, item, f"{name}.entry.{number}.value")
    elif value is not None:
        yield name, str(value)


@st.composite
def requests(draw: st.DrawFn, service: str) -> Request:
    """Build a request for an action of the service, in the protocol of its SDK."""
    names = model(service).operation_names
    ours = [name for name in names if service != "lambda" or "EventSourceMapping" in name]
    if service == "events":
        ours = list(events_api.ACTIONS)
    operation = model(service).operation_model(draw(st.sampled_from(ours)))
    document = draw(values(operation.input_shape)) if operation.input_shape else {}
    scope = f"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{service}/aws4_request"
    headers = {b"authorization": scope.encode(), b"host": b"localhost"}
    body = json.dumps(document).encode()
    match model(service).metadata["protocol"]:
        case "json":
            headers[b"x-amz-target"] = f"{model(service).metadata['targetPrefix']}.{operation.name}".encode()
            return Request("POST", "/", headers, [], body)
        case "query":
            form = dict(flat(operation.input_shape, document) if operation.input_shape else ()) | {
                "Action": operation.name
            }
            headers[b"content-type"] = b"application/x-www-form-urlencoded"
            return Request("POST", "/", headers, [], urlencoded(form))
    path = operation.http["requestUri"].replace("{UUID}", draw(st.sampled_from(["x", "é", "a" * 36])))
    return Request(operation.http["method"], path, headers, [], body)


def urlencoded(form: dict[str, str]) -> bytes:
    """Encode a form; a lone surrogate becomes a question mark, as with a careless client."""
    return urlencode(form, errors="replace").encode()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all examples."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def engine(runner: asyncio.Runner) -> Iterator[Engine]:
    """An engine with a queue, a topic, a bus, a rule and an archive, for all examples."""
    engine = Engine(Options(), ManualClock())
    engine.sqs.queues.create("q", {}, {}, Caller())
    sns_api.service(engine.sns).actions["CreateTopic"]({"Name": "t"}, Caller())
    events = events_api.service(engine.events).actions
    events["CreateEventBus"]({"Name": "b"}, Caller())
    events["PutRule"]({"Name": "r", "EventPattern": '{"source": ["s"]}'}, Caller())
    events["CreateArchive"](
        {"ArchiveName": "kept", "EventSourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}, Caller()
    )
    yield engine
    runner.run(engine.stop())


async def answer(engine: Engine, request: Request) -> Response:
    """Return the response, and then let scheduled work run. A long poll waits for its full time."""
    assert isinstance(engine.clock, ManualClock)
    response = engine.router.handle(request)
    if not isinstance(response, Response):
        waiting = asyncio.ensure_future(response)
        await asyncio.sleep(0)
        engine.clock.advance(20)
        response = await asyncio.wait_for(waiting, 10)
    engine.clock.advance(1)
    return response


@pytest.mark.parametrize("service", ["sqs", "sns", "events", "lambda", "cloudformation"])
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_action(runner: asyncio.Runner, engine: Engine, service: str, data: st.DataObject) -> None:
    """A request succeeds, is rejected, or is not implemented; what it scheduled does not fail either."""
    for _ in range(2 if service == "events" else 1):
        response = runner.run(answer(engine, data.draw(requests(service))))

        assert response.status < 500 or response.status == 501, response.body

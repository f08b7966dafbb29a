"""Bodies of requests: an invalid one is rejected with the field that is wrong."""

import json

import pytest
from orderboard.console import requests
from orderboard.errors import UsageError
from starlette.requests import Request
from starlette.types import Message

FAULT = {"kind": "throttle", "action": "*", "probability": 1}


def _request(body: str) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body.encode()}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        (requests.PlaceOrder, {"kind": "nonesuch"}, "kind"),
        (requests.PlaceOrder, {"kind": "normal", "order": "tea"}, "order"),
        (requests.Burst, {"count": True}, "count"),
        (requests.Stream, {"per_s": "5"}, "per_s"),
        (requests.Stream, {"per_s": 1e9}, "per_s"),
        (requests.Stream, {"per_s": float("nan")}, "per_s"),
        (requests.WorkerAction, {"name": "worker-1", "action": "obliterate"}, "action"),
        (requests.Mapping, {}, "enabled"),
        (requests.QueueName, {"queue": 7}, "queue"),
        (requests.QueueName, {"queue": ""}, "queue"),
        (requests.Faults, {"rule": FAULT | {"kind": "obliterate"}}, "rule.kind"),
        (requests.Faults, {"rule": FAULT | {"probability": 2}}, "rule.probability"),
        (requests.Faults, {"rule": FAULT | {"kind": "latency"}}, "rule"),
        (requests.Faults, {"rule": FAULT | {"action": "DropTable"}}, "rule.action"),
        (requests.Empty, [], "body"),
    ],
)
async def test_an_invalid_field_is_named(model: type[requests.Body], body: object, field: str) -> None:
    """Values are not converted, and limits hold."""
    with pytest.raises(UsageError, match=f"Invalid request: {field}: "):
        await requests.read_body(_request(json.dumps(body)), model)


@pytest.mark.parametrize("body", ["", "{", '{"event": ' + "[" * 20_000], ids=["empty", "truncated", "nested"])
async def test_a_body_that_is_not_json_is_rejected(body: str) -> None:
    """Empty, truncated and too deeply nested bodies are all reported as invalid."""
    with pytest.raises(UsageError, match="Invalid request: body: Invalid JSON"):
        await requests.read_body(_request(body), requests.Event)

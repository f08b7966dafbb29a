"""The short way of an order: it answers as FastAPI's route does, and leaves to that route what is not a valid order."""

from typing import Any

import pytest
from order_api.order_intake import OrderIntake
from order_api.responses import OrderAccepted
from starlette.types import Message
from unit.order_api.fakes import ORDER, RunningApi

REQUEST = b'{"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}], "note": "cr\xc3\xa8me"}'
JSON = (b"content-type", b"application/json")
KEY = (b"idempotency-key", b"k")

Response = tuple[int, dict[bytes, bytes], bytes]


async def post(api: RunningApi, headers: list[tuple[bytes, bytes]], *chunks: bytes, short: bool) -> Response:
    """POST /orders with these raw headers, and the body in chunks."""
    received = [{"type": "http.request", "body": chunk, "more_body": chunk != chunks[-1]} for chunk in chunks]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop(0) if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    length = (b"content-length", b"%d" % len(b"".join(chunks)))
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/orders",
        "raw_path": b"/orders",
        "query_string": b"",
        "headers": [length, *headers],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "server": None,
    }
    with pytest.MonkeyPatch.context() as patched:
        if not short:
            patched.setattr("order_api.order_intake._valid", lambda *_: None)
        await api.app(scope, receive, send)
    start, *rest = sent
    variable = (b"x-correlation-id", b"date")
    return (
        start["status"],
        {name: value for name, value in start["headers"] if name not in variable},
        b"".join(each["body"] for each in rest),
    )


@pytest.mark.parametrize(
    ("headers", "chunks"),
    [
        pytest.param([JSON, KEY], [REQUEST], id="an order"),
        pytest.param([JSON, KEY], [REQUEST[:9], REQUEST[9:60], REQUEST[60:]], id="in chunks"),
        pytest.param([(b"content-type", b'Application/JSON; charset="UTF-8"'), KEY], [REQUEST], id="another spelling"),
        pytest.param([JSON, JSON, KEY], [REQUEST], id="two types"),
        pytest.param([(b"content-type", b""), JSON, KEY], [REQUEST], id="an empty type and another"),
        pytest.param([JSON, KEY, (b"idempotency-key", b"l")], [REQUEST], id="two keys"),
        pytest.param([JSON, (b"idempotency-key", b"a b")], [REQUEST], id="an invalid key"),
        pytest.param([JSON, (b"idempotency-key", b"")], [REQUEST], id="an empty key"),
        pytest.param([KEY], [REQUEST], id="no type"),
        pytest.param([JSON, KEY], [REQUEST[:-1]], id="cut off"),
        pytest.param([JSON, KEY], [b""], id="empty"),
        pytest.param([JSON, KEY], [b"null"], id="null"),
        pytest.param([JSON, KEY], [REQUEST.replace(b"2", b"2.0")], id="a whole number with a fraction"),
        pytest.param([JSON, KEY], [REQUEST.replace(b"2", b"-2")], id="a negative quantity"),
        pytest.param([JSON, KEY], [REQUEST.replace(b"ada", b'ada", "customer_id": "eve')], id="a name twice"),
        pytest.param([JSON, KEY], [REQUEST.replace(b"flat-white", b"unobtainium")], id="not on the menu"),
        pytest.param([JSON, KEY], [REQUEST.replace(b"}]", b'}], "fault": "poison"')], id="a fault"),
    ],
)
async def test_both_ways_answer_alike(api: RunningApi, headers: list[tuple[bytes, bytes]], chunks: list[bytes]) -> None:
    """Status, headers and body are those of FastAPI's route."""
    assert await post(api, headers, *chunks, short=True) == await post(api, headers, *chunks, short=False)


async def test_a_valid_order_goes_the_short_way(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI is not called for it, and its metrics are those of the route."""
    monkeypatch.setattr("fastapi.FastAPI.build_middleware_stack", None)  # called at the first request

    status, headers, body = await post(api, [JSON], REQUEST, short=True)

    assert status == 202
    accepted = OrderAccepted.model_validate_json(body)
    assert body == accepted.model_dump_json().encode()
    assert headers[b"location"].decode() == accepted.links.order
    labels = {"method": "POST", "route": "/orders", "status": "202"}
    assert api.app.state.metrics.registry.get_sample_value("orderboard_api_request_seconds_count", labels) == 1


async def test_a_client_that_leaves_within_its_body_orders_nothing(api: RunningApi) -> None:
    """A part of a body is not an order."""
    await post(api, [JSON, KEY], REQUEST[:20], b"", short=True)

    api.assert_nothing_published()


async def test_a_changed_key_reuse_is_refused_on_both_ways(api: RunningApi) -> None:
    """The keys of both are the same."""
    assert (await post(api, [JSON, KEY], REQUEST, short=True))[0] == 202

    for short in (True, False):
        assert (await post(api, [JSON, KEY], REQUEST.replace(b"2", b"3"), short=short))[0] == 422
    assert (await api.place({**ORDER, "note": "crème"}, key="k")).status_code == 202


def test_the_route_is_the_documented_one(api: RunningApi) -> None:
    """The short way stands for the route that the OpenAPI document describes."""
    intake: OrderIntake = api.app._boundary._app  # type: ignore[attr-defined]

    assert intake._route.summary == "Place an order"

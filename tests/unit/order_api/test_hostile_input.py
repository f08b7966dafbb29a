"""Invalid input: each is a 4xx problem that names the fix, never a 5xx, and nothing is published."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from orderboard_contracts.order import MAX_LINES, MAX_NOTE_CHARACTERS, MAX_QUANTITY
from unit.order_api.fakes import ORDER, RunningApi, assert_problem, running_api

JSON = {"Content-Type": "application/json"}
LINE = {"sku": "espresso", "quantity": 1}
LIMIT_BYTES = 64 * 1024

MALFORMED: dict[str, bytes] = {
    "cut off": b'{"customer_id": "ada"',
    "two documents": b"{} {}",
    "not JSON": b"customer_id=ada",
    "NaN": b'{"customer_id": NaN}',
    "infinity": b'{"customer_id": -Infinity}',
    "not UTF-8": b'{"customer_id": "\xff\xfe"}',
    "UTF-16": json.dumps(ORDER).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(ORDER).encode(),
    "raw null byte": b'{"customer_id": "a\x00b"}',
    "null byte after it": json.dumps(ORDER).encode() + b"\x00",
    "the same name twice": b'{"customer_id": "ada", "customer_id": "eve", "lines": [{"sku": "tea", "quantity": 1}]}',
    "the same name twice inside": b'{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 1, "quantity": 9}]}',
    "lone surrogate in a name": b'{"\\ud800": 1}',
    "10k nested arrays": b"[" * 10_000 + b"]" * 10_000,
    "10k nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a number of 5000 digits": b'{"quantity": ' + b"9" * 5000 + b"}",
}

INVALID: dict[str, tuple[Any, str]] = {
    "an array": ([], ""),
    "a string": ("order", ""),
    "null": (None, ""),
    "empty object": ({}, "/customer_id"),
    "unknown field": ({**ORDER, "price_cents": 1}, "/price_cents"),
    "unknown field with a hostile name": ({**ORDER, "\u202e<script>/~": 1}, "/\\u202e<script>~1~0"),
    "customer is a number": ({**ORDER, "customer_id": 7}, "/customer_id"),
    "customer is empty": ({**ORDER, "customer_id": ""}, "/customer_id"),
    "customer is too long": ({**ORDER, "customer_id": "a" * 65}, "/customer_id"),
    "customer is emoji": ({**ORDER, "customer_id": "🥸"}, "/customer_id"),
    "customer is right-to-left": ({**ORDER, "customer_id": "שלום"}, "/customer_id"),
    "customer is HTML": ({**ORDER, "customer_id": "<b>ada</b>"}, "/customer_id"),
    "customer ends in a newline": ({**ORDER, "customer_id": "ada\n"}, "/customer_id"),
    "customer is a path": ({**ORDER, "customer_id": "../../etc/passwd"}, "/customer_id"),
    "customer is a lone surrogate": ({**ORDER, "customer_id": "\ud800"}, "/customer_id"),
    "no lines": ({**ORDER, "lines": []}, "/lines"),
    "lines is an object": ({**ORDER, "lines": {"0": LINE}}, "/lines"),
    "too many lines": ({**ORDER, "lines": [LINE] * (MAX_LINES + 1)}, "/lines"),
    "unknown sku": ({**ORDER, "lines": [{"sku": "unobtainium", "quantity": 1}]}, "/lines/0/sku"),
    "sku is null": ({**ORDER, "lines": [{"sku": None, "quantity": 1}]}, "/lines/0/sku"),
    "quantity is zero": ({**ORDER, "lines": [{"sku": "tea", "quantity": 0}]}, "/lines/0/quantity"),
    "quantity is negative": ({**ORDER, "lines": [{"sku": "tea", "quantity": -1}]}, "/lines/0/quantity"),
    "quantity is too much": (
        {**ORDER, "lines": [LINE, {"sku": "tea", "quantity": MAX_QUANTITY + 1}]},
        "/lines/1/quantity",
    ),
    "quantity is huge": ({**ORDER, "lines": [{"sku": "tea", "quantity": 10**4000}]}, "/lines/0/quantity"),
    "quantity is a float": ({**ORDER, "lines": [{"sku": "tea", "quantity": 1.5}]}, "/lines/0/quantity"),
    "quantity is a huge float": ({**ORDER, "lines": [{"sku": "tea", "quantity": 1e300}]}, "/lines/0/quantity"),
    "quantity is a string": ({**ORDER, "lines": [{"sku": "tea", "quantity": "1"}]}, "/lines/0/quantity"),
    "quantity is true": ({**ORDER, "lines": [{"sku": "tea", "quantity": True}]}, "/lines/0/quantity"),
    "unknown priority": ({**ORDER, "priority": "urgent"}, "/priority"),
    "note is too long": ({**ORDER, "note": "x" * (MAX_NOTE_CHARACTERS + 1)}, "/note"),
    "note has a control character": ({**ORDER, "note": "bell\x07"}, "/note"),
    "note has a null": ({**ORDER, "note": "a\x00b"}, "/note"),
    "note has an escape sequence": ({**ORDER, "note": "\x1b[2J"}, "/note"),
    "note has a bidirectional override": ({**ORDER, "note": "\u202etxt.exe"}, "/note"),
    "note has a lone surrogate": ({**ORDER, "note": "\udfff"}, "/note"),
    "note has a noncharacter": ({**ORDER, "note": "\uffff"}, "/note"),
    "note is a list": ({**ORDER, "note": ["x"]}, "/note"),
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "emoji": {**ORDER, "note": "👩🏽‍🚀☕️🎉"},
    "right-to-left": {**ORDER, "note": "مرحبا بالعالم שלום"},
    "HTML": {**ORDER, "note": "<script>alert('x')</script> & \"quotes\""},
    "the longest note": {**ORDER, "note": "€" * MAX_NOTE_CHARACTERS},
    "the longest customer": {**ORDER, "customer_id": "a" * 64},
    "the largest quantity": {**ORDER, "lines": [{"sku": "tea", "quantity": MAX_QUANTITY}]},
    "the most lines": {**ORDER, "lines": [LINE] * MAX_LINES},
    "null note": {**ORDER, "note": None},
    "a quantity of 2.0": {**ORDER, "lines": [{"sku": "tea", "quantity": 2.0}]},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_invalid_json_is_rejected(api: RunningApi, body: bytes) -> None:
    """400 with the fault in the JSON."""
    response = await api.http.post("/orders", content=body, headers=JSON)

    assert_problem(response, 400, "malformed-json")
    api.assert_nothing_published()


@pytest.mark.parametrize(("body", "field"), INVALID.values(), ids=INVALID.keys())
async def test_invalid_orders_are_rejected_by_field(api: RunningApi, body: object, field: str) -> None:
    """422 that names the invalid field."""
    response = await api.http.post("/orders", content=json.dumps(body).encode(), headers=JSON)

    problem = assert_problem(response, 422, "invalid-request")
    assert field in [error["field"] for error in problem["errors"]]
    assert all(error["source"] == "body" and error["detail"] for error in problem["errors"])
    api.assert_nothing_published()


@pytest.mark.parametrize("order", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_any_text_is_valid_and_limits_are_inclusive(api: RunningApi, order: dict[str, Any]) -> None:
    """Emoji, right-to-left scripts and HTML are valid notes, and the largest order is valid."""
    response = await api.place(order)

    assert response.status_code == 202


@pytest.mark.parametrize("body", [b"[" * 10_000, b'{"a":' * 10_000], ids=["arrays", "objects"])
async def test_deep_nesting_is_named(api: RunningApi, body: bytes) -> None:
    """The detail says what is wrong."""
    response = await api.http.post("/orders", content=body, headers=JSON)

    assert assert_problem(response, 400, "malformed-json")["detail"] == "nested too deeply."


async def test_a_missing_body_is_named(api: RunningApi) -> None:
    """A missing body is a 422."""
    response = await api.http.post("/orders")

    [error] = assert_problem(response, 422, "invalid-request")["errors"]
    assert error["detail"] == "is required"


async def test_thousands_of_errors_make_a_short_response(api: RunningApi) -> None:
    """The response names the first errors and counts the rest."""
    body = {**ORDER, **{f"x{number}": 1 for number in range(4000)}}

    response = await api.place(body)

    problem = assert_problem(response, 422, "invalid-request")
    assert len(problem["errors"]) == 20
    assert "4000 errors" in problem["detail"]
    assert len(response.content) < 4000


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "json"]
)
async def test_another_content_type_is_rejected(api: RunningApi, content_type: str) -> None:
    """415 with the expected type. It also stops forms of foreign web pages."""
    headers = {"Content-Type": content_type} if content_type else {}
    response = await api.http.post("/orders", content=json.dumps(ORDER).encode(), headers=headers)

    assert_problem(response, 415, "unsupported-media-type")
    assert response.headers["accept"] == "application/json"
    api.assert_nothing_published()


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "x"])
async def test_another_content_coding_is_rejected(api: RunningApi, coding: str) -> None:
    """415 with the accepted one (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16), whatever the body is."""
    for body in (gzip.compress(json.dumps(ORDER).encode()), json.dumps(ORDER).encode()):
        response = await api.http.post("/orders", content=body, headers={**JSON, "Content-Encoding": coding})

        assert_problem(response, 415, "unsupported-media-type")
        assert response.headers["accept-encoding"] == "identity"
    api.assert_nothing_published()
    plain = {**JSON, "Content-Encoding": "Identity"}
    assert (await api.http.post("/orders", content=json.dumps(ORDER).encode(), headers=plain)).status_code == 202


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Content-Type", ["application/json", "application/json"]),
        ("Content-Type", ["", "application/json"]),
        ("Idempotency-Key", ["one", "another"]),
        ("Idempotency-Key", ["one", "one"]),
    ],
)
async def test_a_header_of_one_value_given_twice_is_rejected(api: RunningApi, name: str, values: list[str]) -> None:
    """422: a proxy and this API could take different ones."""
    headers = [(name, value) for value in values] + ([] if name == "Content-Type" else list(JSON.items()))

    response = await api.http.post("/orders", content=json.dumps(ORDER).encode(), headers=headers)

    assert assert_problem(response, 422, "invalid-request")["errors"] == [
        {"source": "header", "field": name, "detail": "is given more than once; send it once"}
    ]
    api.assert_nothing_published()


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; Charset=UTF-8"])
async def test_json_media_type_in_any_spelling_is_accepted(api: RunningApi, content_type: str) -> None:
    """Media types are not case-sensitive, and UTF-8 may be given."""
    response = await api.http.post(
        "/orders", content=json.dumps(ORDER).encode(), headers={"Content-Type": content_type}
    )

    assert response.status_code == 202


async def post_directly(api: RunningApi, headers: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """POST /orders with an endless body; return the status and the number of bytes read."""
    read_bytes = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal read_bytes
        read_bytes += 8192
        return {"type": "http.request", "body": b" " * 8192, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/orders",
        "raw_path": b"/orders",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), *headers],
    }
    await api.app(scope, receive, send)
    return sent[0]["status"], read_bytes


@pytest.mark.parametrize("size_bytes", [LIMIT_BYTES + 1, 1 << 20])
async def test_a_body_that_is_too_large_is_a_413(api: RunningApi, size_bytes: int) -> None:
    """The problem says what the limit is."""
    response = await api.http.post("/orders", content=b" " * size_bytes, headers=JSON)

    assert "65536" in assert_problem(response, 413, "body-too-large")["detail"]
    api.assert_nothing_published()


async def test_a_body_with_too_large_a_content_length_is_not_read(api: RunningApi) -> None:
    """413 by Content-Length alone."""
    assert await post_directly(api, [(b"content-length", b"65537")]) == (413, 0)


async def test_a_chunked_body_is_read_no_further_than_the_limit(api: RunningApi) -> None:
    """413 at the chunk that exceeds the limit; the rest is not read."""
    assert await post_directly(api, [(b"transfer-encoding", b"chunked")]) == (413, LIMIT_BYTES + 8192)


async def test_a_body_of_exactly_the_limit_is_read(api: RunningApi) -> None:
    """The limit is inclusive: padded with spaces to 64 KiB an order is an order."""
    body = json.dumps(ORDER).encode().ljust(LIMIT_BYTES)

    assert (await api.http.post("/orders", content=body, headers=JSON)).status_code == 202


async def test_a_slow_body_is_rejected() -> None:
    """408 after the deadline for a body, so that no client can hold a request open."""
    async with running_api(api_body_deadline_s=0.1) as api:

        async def trickle() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(30)

        response = await asyncio.wait_for(api.http.post("/orders", content=trickle(), headers=JSON), timeout=5)

        assert_problem(response, 408, "slow-body")


@pytest.mark.parametrize("order_id", ["1", "%00", "..%2f..%2fetc", "1C0E2B8E-6D6F-5A53-9D3E-4F0C8F6A4B11", "x" * 5000])
async def test_an_invalid_order_id_is_rejected(api: RunningApi, order_id: str) -> None:
    """A 4xx problem without a call to DynamoDB."""
    api.dynamodb.gate.clear()

    for response in (
        await api.http.get(f"/orders/{order_id}"),
        await api.http.post(f"/orders/{order_id}/cancellation"),
    ):
        assert response.status_code in {404, 422}
        assert response.headers["content-type"] == "application/problem+json"
    api.assert_nothing_published()


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/orders", "GET, POST"),
        ("TRACE", "/orders", "GET, POST"),
        ("DELETE", "/orders/1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11", "GET"),
        ("GET", "/orders/1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11/cancellation", "POST"),
        ("POST", "/menu", "GET"),
        ("OPTIONS", "/healthz", "GET"),
    ],
)
async def test_another_method_gets_the_allowed_ones(api: RunningApi, method: str, path: str, allow: str) -> None:
    """405 with all methods of the address in Allow."""
    response = await api.http.request(method, path)

    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/", "/order", "/orders/", "/orders//cancellation", "/%00", "/..%2f", "/\u202e"])
async def test_an_unknown_address_is_a_404(api: RunningApi, path: str) -> None:
    """404 problem, not a redirect and not HTML."""
    assert_problem(await api.http.get(path), 404, "no-such-page")


async def test_a_cancellation_takes_a_reason_and_nothing_else(api: RunningApi) -> None:
    """Its body is as strict as that of an order."""
    address = "/orders/1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11/cancellation"

    for body, field in (
        ({"reason": "x" * 281}, "/reason"),
        ({"why": "x"}, "/why"),
        ([], ""),
        ({"reason": 1}, "/reason"),
    ):
        problem = assert_problem(await api.http.post(address, json=body), 422, "invalid-request")
        assert problem["errors"][0]["field"] == field
    api.assert_nothing_published()

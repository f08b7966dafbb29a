"""Reading orders: views of rows, pages, invalid cursors, and a table that does not respond."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from order_api.cursor import InvalidCursorError, Position, decode_cursor, encode_cursor
from orderboard_aws_client.order_codec import to_item
from orderboard_contracts.identity import order_id_for
from support.order_rows import completed
from unit.order_api.fakes import RunningApi, assert_problem, broken_responses, running_api, unreachable

ORDER_ID = order_id_for("a")
POSITION = Position(customer_id="ada", placed_at="2026-03-01T07:00:00Z", order_id=ORDER_ID)


def row(order_id: str, *, customer_id: str = "ada", second: int = 0) -> dict[str, Any]:
    """A completed order as the worker writes it, and an attribute that a newer worker added."""
    record = completed(order_id, customer_id, datetime(2026, 3, 1, 7, 0, second, tzinfo=UTC))
    record = record.model_copy(update={"receive_count": 1, "expires_at": 1_800_000_000})
    return {**to_item(record), "note": {"NULL": True}, "new": {"BOOL": True}}


async def test_a_recorded_order_can_be_read(api: RunningApi) -> None:
    """The row's final state, prices and times, without attributes that only the table needs."""
    api.dynamodb.items[ORDER_ID] = row(ORDER_ID)

    response = await api.http.get(f"/orders/{ORDER_ID}")

    view = response.json()
    assert response.status_code == 200
    assert (view["order_id"], view["status"], view["total_cents"]) == (ORDER_ID, "completed", 640)
    assert view["lines"] == [{"sku": "tea", "quantity": 2, "unit_price_cents": 320}]
    assert "expires_at" not in view
    assert "note" not in view


async def test_an_order_that_is_not_recorded_is_a_404(api: RunningApi) -> None:
    """404 with Retry-After: it may still be recorded."""
    response = await api.http.get(f"/orders/{ORDER_ID}")

    assert_problem(response, 404, "order-not-recorded")
    assert response.headers["retry-after"] == "1"


async def test_a_tombstone_is_not_an_order(api: RunningApi) -> None:
    """A cancellation that overtook its order has left a row, but the order is not recorded yet."""
    api.dynamodb.items[ORDER_ID] = {
        "order_id": {"S": ORDER_ID},
        "status": {"S": "cancellation_pending"},
        "recorded_at": {"S": "2026-03-01T07:00:01Z"},
    }

    assert_problem(await api.http.get(f"/orders/{ORDER_ID}"), 404, "order-not-recorded")


async def test_a_customers_orders_come_in_pages(api: RunningApi) -> None:
    """Following the cursor shows each of the customer's orders once, the newest first, and no other customer's."""
    for number in range(7):
        order_id = order_id_for(f"page-{number}")
        api.dynamodb.items[order_id] = row(order_id, second=number)
    other = order_id_for("other")
    api.dynamodb.items[other] = row(other, customer_id="eve")

    seen, cursor = [], None
    while True:
        parameters = {"customer_id": "ada", "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await api.http.get("/orders", params=parameters)).json()
        seen += [order["order_id"] for order in page["orders"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break

    assert seen == [order_id_for(f"page-{number}") for number in reversed(range(7))]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e9", "99999999999999999999"])
async def test_a_page_size_is_limited(api: RunningApi, limit: str) -> None:
    """1 to 100 orders per page; any other value is an error that names the parameter."""
    response = await api.http.get("/orders", params={"customer_id": "ada", "limit": limit})

    [error] = assert_problem(response, 422, "invalid-request")["errors"]
    assert (error["source"], error["field"]) == ("query", "limit")


async def test_the_customer_is_required(api: RunningApi) -> None:
    """A missing or invalid customer_id is an error."""
    for parameters in ({}, {"customer_id": ""}, {"customer_id": "🥸"}, {"customer_id": "a' OR '1'='1"}):
        [error] = assert_problem(await api.http.get("/orders", params=parameters), 422, "invalid-request")["errors"]
        assert (error["source"], error["field"]) == ("query", "customer_id")


def test_a_cursor_can_be_decoded() -> None:
    """Encoding and decoding for the same customer return the position."""
    assert decode_cursor(encode_cursor(POSITION), customer_id="ada") == POSITION


def encoded(document: object) -> str:
    """A document encoded like a cursor."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


HOSTILE_CURSORS = {
    "not base64": "a",
    "not JSON": base64.urlsafe_b64encode(b"\xff\x00").decode().rstrip("="),
    "another document": encoded([1]),
    "another table's key": encoded({"pk": "x"}),
    "one member more": encoded({**POSITION.model_dump(), "more": 1}),
    "another type": encoded({**POSITION.model_dump(), "placed_at": 1}),
    "an injected time": encoded({**POSITION.model_dump(), "placed_at": "' OR 1=1"}),
    "another customer's": encode_cursor(POSITION.model_copy(update={"customer_id": "eve"})),
    "deeply nested": encoded(json.loads("[" * 90 + "]" * 90)),
}


@pytest.mark.parametrize("cursor", HOSTILE_CURSORS.values(), ids=HOSTILE_CURSORS.keys())
async def test_a_cursor_that_was_not_issued_is_rejected(api: RunningApi, cursor: str) -> None:
    """400 that names the cursor, without a call to DynamoDB."""
    api.dynamodb.gate.clear()

    response = await api.http.get("/orders", params={"customer_id": "ada", "cursor": cursor})

    assert assert_problem(response, 400, "bad-cursor")["errors"][0]["field"] == "cursor"
    with pytest.raises(InvalidCursorError):
        decode_cursor(cursor, customer_id="ada")


@pytest.mark.parametrize("cursor", ["", "a=b", "ü", "x" * 513])
async def test_a_cursor_of_other_characters_is_rejected(api: RunningApi, cursor: str) -> None:
    """422: the pattern is in the schema."""
    response = await api.http.get("/orders", params={"customer_id": "ada", "cursor": cursor})

    assert_problem(response, 422, "invalid-request")


async def test_a_cursor_that_dynamodb_rejects_is_rejected(api: RunningApi) -> None:
    """A well-formed position that is not in the index is the client's error, not an outage."""
    api.dynamodb.items[ORDER_ID] = row(ORDER_ID)
    nowhere = encode_cursor(POSITION.model_copy(update={"order_id": order_id_for("nowhere")}))

    response = await api.http.get("/orders", params={"customer_id": "ada", "cursor": nowhere})

    assert_problem(response, 400, "bad-cursor")


@pytest.mark.parametrize("path", [f"/orders/{ORDER_ID}", "/orders?customer_id=ada"])
@pytest.mark.parametrize("failure", [unreachable(), *broken_responses().values()], ids=["down", *broken_responses()])
async def test_a_table_that_does_not_respond_is_a_503(api: RunningApi, path: str, failure: Exception) -> None:
    """A table that is down, or a response that is cut off or garbled, is a 503 with Retry-After."""
    api.dynamodb.failures.append(failure)

    response = await api.http.get(path)

    assert_problem(response, 503, "lookup-unavailable")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", [f"/orders/{ORDER_ID}", "/orders?customer_id=ada"])
async def test_a_table_that_hangs_is_a_503_in_time(path: str) -> None:
    """No read takes longer than the deadline, and orders are accepted meanwhile."""
    async with running_api(api_lookup_deadline_s=0.2) as api:
        api.dynamodb.gate.clear()
        began = time.perf_counter()

        response, placed = await asyncio.gather(api.http.get(path), api.place())

        assert_problem(response, 503, "lookup-unavailable")
        assert time.perf_counter() - began < 1.5
        assert placed.status_code == 202

"""An order's limits, its price and its digest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.menu import MENU
from orderboard_contracts.order import (
    MAX_LINES,
    MAX_NOTE_CHARACTERS,
    MAX_QUANTITY,
    OrderLine,
    OrderRequest,
    digest,
    priced,
    total_cents,
)
from pydantic import ValidationError

ORDER: dict[str, Any] = {"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 1}]}

lines = st.builds(OrderLine, sku=st.sampled_from(sorted(MENU)), quantity=st.integers(1, MAX_QUANTITY))
notes = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=MAX_NOTE_CHARACTERS).filter(
    lambda note: not set(note) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff")
)
orders = st.builds(
    OrderRequest,
    customer_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    lines=st.lists(lines, min_size=1, max_size=MAX_LINES).map(tuple),
    priority=st.sampled_from(["normal", "express"]),
    note=st.none() | notes,
    fault=st.none() | st.sampled_from(["poison", "crash", "flaky:3", "slow:500"]),
)


def order_with(**members: object) -> OrderRequest:
    """A small order with some members as given, read as from a request."""
    return OrderRequest.model_validate({**ORDER, **members})


def line_with(**members: object) -> OrderRequest:
    """A small order whose one line has some members as given."""
    return order_with(lines=[{**ORDER["lines"][0], **members}])


@pytest.mark.parametrize(
    "members",
    [
        {"customer_id": "a"},
        {"customer_id": "A" * 64},
        {"customer_id": "0._-"},
        {"lines": [{"sku": sku, "quantity": MAX_QUANTITY} for sku in [*MENU] * 2][:MAX_LINES]},
        {"note": ""},
        {"note": "🦄" * MAX_NOTE_CHARACTERS},
        {"note": "<b>'; DROP TABLE orders; --</b> 👨‍👩‍👧 بدون سكر"},
        {"note": None},
        {"priority": "express"},
        {"fault": "flaky:999"},
    ],
    ids=lambda members: next(iter(members)),
)
def test_orders_within_the_limits_are_accepted(members: dict[str, Any]) -> None:
    """Values just within the limits are accepted."""
    assert order_with(**members)


@pytest.mark.parametrize(
    ("members", "where", "message"),
    [
        ({"customer_id": ""}, "customer_id", "match pattern"),
        ({"customer_id": "a" * 65}, "customer_id", "match pattern"),
        ({"customer_id": "a\n"}, "customer_id", "match pattern"),
        ({"customer_id": "_a"}, "customer_id", "match pattern"),
        ({"customer_id": "zoë"}, "customer_id", "match pattern"),
        ({"customer_id": 7}, "customer_id", "valid string"),
        ({"lines": []}, "lines", "0 lines; an order has 1 to 20"),
        ({"lines": [{"sku": "tea", "quantity": 1}] * 21}, "lines", "21 lines; an order has 1 to 20"),
        ({"lines": {"sku": "tea", "quantity": 1}}, "lines", "give a list of order lines"),
        ({"lines": "tea"}, "lines", "give a list of order lines"),
        ({"lines": None}, "lines", "give a list of order lines"),
        ({"lines": [None]}, "lines.0", "valid dictionary"),
        ({"lines": [{"sku": "unicorn", "quantity": 1}]}, "lines.0.sku", "choose one of espresso, .*tea"),
        ({"priority": "urgent"}, "priority", "'normal' or 'express'"),
        ({"note": "x" * 281}, "note", "at most 280 characters"),
        ({"note": "a\x00b"}, "note", r"character U\+0000 at position 1 is not allowed"),
        ({"note": "\ud800"}, "note", "unicode"),
        ({"fault": "sabotage"}, "fault", "a fault is one of poison, crash"),
        ({"total_cents": 1}, "total_cents", "Extra inputs are not permitted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_orders_beyond_the_limits_are_rejected(members: dict[str, Any], where: str, message: str) -> None:
    """A value beyond a limit is rejected with one error, which names the field and the limit."""
    with pytest.raises(ValidationError, match=message) as raised:
        order_with(**members)

    assert [".".join(map(str, error["loc"])) for error in raised.value.errors()] == [where]


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, 10**30, 1.0, 1.5, "1", True, None])
def test_quantities_are_whole_numbers_within_limits(quantity: object) -> None:
    """Other values are rejected, and the error names the line and not the whole list."""
    with pytest.raises(ValidationError) as raised:
        line_with(quantity=quantity)

    assert [error["loc"] for error in raised.value.errors()] == [("lines", 0, "quantity")]


def test_every_bad_line_is_named() -> None:
    """All errors are reported at once, each with its place."""
    with pytest.raises(ValidationError) as raised:
        order_with(lines=[{"sku": "tea", "quantity": 0}, {"sku": "tea", "quantity": 1}, {"sku": "x", "quantity": 1}])

    assert [error["loc"] for error in raised.value.errors()] == [("lines", 0, "quantity"), ("lines", 2, "sku")]


def test_json_and_parsed_json_are_the_same_order() -> None:
    """The body may be parsed before or by the model."""
    assert OrderRequest.model_validate_json(json.dumps(ORDER)) == OrderRequest.model_validate(ORDER)


def test_the_schema_states_the_limits() -> None:
    """A client can read every limit in the schema."""
    schema = OrderRequest.model_json_schema()
    properties, line = schema["properties"], schema["$defs"]["OrderLine"]["properties"]

    assert (properties["lines"]["minItems"], properties["lines"]["maxItems"]) == (1, MAX_LINES)
    assert (line["quantity"]["minimum"], line["quantity"]["maximum"]) == (1, MAX_QUANTITY)
    assert properties["note"]["anyOf"][0]["maxLength"] == MAX_NOTE_CHARACTERS
    assert "pattern" in properties["fault"]["anyOf"][0]
    assert "pattern" in properties["customer_id"]


@given(orders)
def test_the_total_is_the_sum_of_the_lines(order: OrderRequest) -> None:
    """Each line costs its quantity at the menu's price, in whole cents."""
    assert total_cents(priced(order)) == sum(MENU[line.sku].unit_price_cents * line.quantity for line in order.lines)
    assert [line.sku for line in priced(order)] == [line.sku for line in order.lines]


@given(orders, st.randoms(use_true_random=False), st.booleans(), st.sampled_from([None, 2]))
def test_formatting_does_not_change_the_digest(order: OrderRequest, random: Any, ascii_only: bool, indent: int) -> None:
    """Member order, spaces, escapes and spelt-out defaults in the JSON are no part of what is asked for."""
    members = list(order.model_dump(mode="json").items())
    random.shuffle(members)
    text = json.dumps(dict(members), ensure_ascii=ascii_only, indent=indent)

    again = OrderRequest.model_validate_json(text)

    assert digest(again) == digest(order)
    assert digest(OrderRequest.model_validate_json(order.model_dump_json(exclude_defaults=True))) == digest(order)


@given(orders, orders)
def test_digests_are_equal_exactly_when_the_orders_are(one: OrderRequest, other: OrderRequest) -> None:
    """Two orders have one digest if they ask for the same thing, and else two."""
    assert (digest(one) == digest(other)) == (one == other)


@pytest.mark.parametrize(
    "members",
    [
        {"customer_id": "alan"},
        {"lines": [{"sku": "tea", "quantity": 2}]},
        {"lines": [{"sku": "espresso", "quantity": 1}]},
        {"lines": [{"sku": "tea", "quantity": 1}] * 2},
        {"priority": "express"},
        {"note": ""},
        {"note": "é"},
        {"note": "e\u0301"},
        {"fault": "crash"},
    ],
    ids=str,
)
def test_every_difference_changes_the_digest(members: dict[str, Any]) -> None:
    """Whatever else is asked for is another digest."""
    assert digest(order_with(**members)) != digest(order_with())


def test_a_digest_is_the_same_for_ever() -> None:
    """A repeat after an upgrade is still a repeat: these digests never change."""
    assert digest(order_with()) == "f6b93ca5298383756dc33f6778276a87229f68101094f748332e2611405ee0b7"


def test_a_new_field_leaves_old_digests_alone() -> None:
    """A field that is added with a default does not change the digest of an order that lacks it."""

    class Later(OrderRequest):
        """An order as a later version may know it."""

        table: int | None = None

    assert digest(Later.model_validate(ORDER)) == digest(order_with())
    assert digest(Later.model_validate({**ORDER, "table": 3})) != digest(order_with())

"""Ids derived from their cause."""

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.identity import OrderId, event_id_for, new_order_id, order_id_for
from pydantic import TypeAdapter

ORDER_IDS: TypeAdapter[str] = TypeAdapter(OrderId)
text = st.text(st.characters(exclude_categories=["Cs"]))


@given(text)
def test_a_key_has_one_order_id(key: str) -> None:
    """The same key gives the same order id, a version 5 UUID, whatever the key."""
    namespace = uuid.UUID("5b0f3c3e-6d5d-5a7c-9a55-0b5b8f1d2c11")

    assert order_id_for(key) == str(uuid.uuid5(namespace, f"order:{key}"))
    assert ORDER_IDS.validate_python(order_id_for(key))


@given(text, text)
def test_two_keys_have_two_order_ids(one: str, other: str) -> None:
    """Order ids are equal only when the keys are."""
    assert (order_id_for(one) == order_id_for(other)) == (one == other)


def test_ids_never_change() -> None:
    """A request repeated after an upgrade gets the same order."""
    assert order_id_for("morning-1") == "40eb912d-5a66-51e8-9398-b446f3b0dd83"
    assert event_id_for("orderboard.order.placed.v1", "a", "b") == "9e9288b3-ae09-52f0-964d-f51adbeb4e35"


def test_orders_without_a_key_are_all_different() -> None:
    """Without a key every request has a new order id."""
    ids = {new_order_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(ORDER_IDS.validate_python(order_id) for order_id in ids)


causes = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=3)


@given(causes, causes)
def test_an_event_id_follows_from_type_and_cause(one: list[str], other: list[str]) -> None:
    """The same cause gives the same event id; another cause, or its parts cut otherwise, gives another."""
    assert (event_id_for("t", *one) == event_id_for("t", *other)) == (one == other)
    assert event_id_for("t", *one) != event_id_for("u", *one)


def test_an_event_id_differs_from_an_order_id() -> None:
    """An order and an event about it never share an id."""
    assert event_id_for("order:key") != order_id_for("order:key")
    assert re.fullmatch(r"[0-9a-f-]{36}", event_id_for("t", "cause"))

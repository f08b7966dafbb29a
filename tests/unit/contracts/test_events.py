"""Parsing and creating events. tests/contracts replays the golden samples."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from orderboard_contracts.events import (
    EVENT_CLASSES,
    CancellationRequested,
    CancellationRequestedData,
    NotAnEvent,
    OrderPlaced,
    PlacedData,
    parse_event,
)
from orderboard_contracts.identity import new_order_id
from orderboard_contracts.order import PricedLine
from pydantic import ValidationError

TIME = datetime(2026, 3, 14, 7, 30, tzinfo=UTC)
ORDER_ID = new_order_id()
PLACED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "orderboard.order-api",
    "type": "orderboard.order.placed.v1",
    "subject": ORDER_ID,
    "time": "2026-03-14T07:30:00Z",
    "data": {
        "order_id": ORDER_ID,
        "customer_id": "ada",
        "priority": "normal",
        "lines": [{"sku": "tea", "quantity": 1, "unit_price_cents": 320}],
        "total_cents": 320,
        "currency": "EUR",
        "digest": "d",
    },
}


def altered(path: str, value: object) -> dict[str, Any]:
    """A valid document with one value changed."""
    document: dict[str, Any] = json.loads(json.dumps(PLACED))
    *above, name = path.split(".")
    here: Any = document
    for part in above:
        here = here[int(part) if part.isdigit() else part]
    here[name] = value
    return document


def test_text_bytes_and_document_are_the_same_event() -> None:
    """SQS delivers text, EventBridge a parsed document; both are the same event."""
    text = json.dumps(PLACED)

    assert parse_event(text) == parse_event(text.encode()) == parse_event(PLACED)
    assert isinstance(parse_event(PLACED), OrderPlaced)


@pytest.mark.parametrize("event_type", EVENT_CLASSES)
def test_the_type_carries_its_version(event_type: str) -> None:
    """Every type names its version, so that a new version can exist beside the old one."""
    assert event_type.rsplit(".", 1)[-1] == "v1"
    assert event_type.startswith("orderboard.order.")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "the document: Invalid JSON"),
        ("not json", "the document: Invalid JSON"),
        (b"\xff\xfe", "the document: Invalid JSON"),
        ("\ud800", "the document: "),
        ("null", "the document: Input should be an object"),
        ("[]", "the document: Input should be an object"),
        ('"text"', "the document: Input should be an object"),
        ("[" * 10_000, "recursion limit"),
        ('{"a":' * 10_000, "recursion limit"),
        ("{}", "Unable to extract tag using discriminator 'type'"),
        (altered("type", "orderboard.order.placed.v2"), "orderboard.order.placed.v2.*does not match"),
        (altered("type", "orderboard.order.lost.v1"), "orderboard.order.lost.v1.*does not match"),
        (altered("type", None), "type"),
        (altered("type", ["orderboard.order.placed.v1"]), "type"),
        (altered("source", "somebody"), r"source: Input should be 'orderboard\.order-api'"),
        (altered("specversion", "2.0"), "specversion: Input should be '1.0'"),
        (altered("subject", "../../etc/passwd"), "subject: String should match pattern"),
        (altered("time", "2026-03-14T07:30:00"), "time: Input should have timezone info"),
        (altered("time", "yesterday"), "time: Input should be a valid datetime"),
        (altered("data.total_cents", -1), "data.total_cents: Input should be greater than or equal to 0"),
        (altered("data.total_cents", 1.5), "data.total_cents: Input should be a valid integer"),
        (altered("data.lines", []), "data.lines: "),
        (altered("data.lines.0.quantity", 0), "data.lines.0.quantity: "),
        (altered("data.fault", "sabotage"), "data.fault: Value error, a fault is one of poison, crash"),
        (altered("data", None), "data: "),
        (altered("traceparent", "00-zz"), "traceparent: String should match pattern"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_anything_but_an_event_is_rejected_with_the_reason(document: Any, message: str) -> None:
    """NotAnEvent names the invalid part of garbage, unknown types and versions, and invalid values."""
    with pytest.raises(NotAnEvent, match=message):
        parse_event(document)


@given(text=st.text() | st.binary())
@example(text='{"type":"orderboard.order.placed.v1","data":{"total_cents":' + "9" * 5000 + "}}")
def test_arbitrary_text_is_rejected_as_not_an_event(text: str | bytes) -> None:
    """No text raises another error than NotAnEvent, so no message can stop a consumer."""
    with pytest.raises(NotAnEvent):
        parse_event(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=5,
)


@given(
    path=st.sampled_from([*PLACED, *(f"data.{name}" for name in PLACED["data"]), "data.lines.0.sku", "data.note"]),
    value=json_values,
)
def test_any_value_is_parsed_or_rejected(path: str, value: object) -> None:
    """Any value in an event is parsed and can be written, or raises NotAnEvent."""
    try:
        event = parse_event(altered(path, value))
    except NotAnEvent:
        return

    assert parse_event(event.to_json()).type == "orderboard.order.placed.v1"


@pytest.mark.parametrize("hostile", ["x" * 1_000_000, "\x1b[2J\x00\r\nFAKE LOG LINE", "\u202egnp.exe"])
def test_the_reason_is_short_and_printable(hostile: str) -> None:
    """The reason, parts of which a sender chooses, is safe for logs and terminals."""
    with pytest.raises(NotAnEvent) as raised:
        parse_event(altered("type", hostile))

    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("path", ["extra", "data.extra", "data.lines.0.extra"])
def test_unknown_fields_are_ignored_by_readers_and_an_error_for_writers(path: str) -> None:
    """At every depth: readers accept fields of a newer writer, and a writer cannot add them."""
    document = altered(path, {"anything": 1})

    assert parse_event(document) == parse_event(json.dumps(document)) == parse_event(PLACED)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        OrderPlaced.model_validate(document)


def test_constructors_reject_unknown_fields() -> None:
    """Unknown keywords are an error, for parts and for the event."""
    unknown: dict[str, Any] = {"colour": "red"}

    with pytest.raises(ValidationError, match="colour"):
        PricedLine(sku="tea", quantity=1, unit_price_cents=320, **unknown)
    with pytest.raises(ValidationError, match="colour"):
        CancellationRequestedData(order_id=ORDER_ID, **unknown)
    with pytest.raises(ValidationError, match="colour"):
        CancellationRequested(
            id="e",
            source="orderboard.order-api",
            subject=ORDER_ID,
            time=TIME,
            data=CancellationRequestedData(order_id=ORDER_ID),
            **unknown,
        )


def test_events_are_immutable() -> None:
    """The fields of an event cannot be set."""
    event = parse_event(PLACED)

    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, "id", "e2")  # noqa: B010 - the type checker knows it, too


@given(
    note=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    quantity=st.integers(1, 10**6),
    total=st.integers(0, 10**12),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_a_written_event_is_parsed_unchanged(note: str | None, quantity: int, total: int, at: datetime) -> None:
    """Text of all scripts, totals, and times to the microsecond survive JSON."""
    data = PlacedData(
        order_id=ORDER_ID,
        customer_id="ada",
        priority="express",
        lines=(PricedLine(sku="tea", quantity=quantity, unit_price_cents=320),),
        total_cents=total,
        currency="EUR",
        note=note,
        digest="d",
    )
    event = OrderPlaced(id="e1", source="orderboard.order-api", subject=ORDER_ID, time=at, data=data)

    assert parse_event(event.to_json()) == event
    assert parse_event(json.loads(event.to_json())) == event


def test_absent_fields_are_omitted() -> None:
    """The document has neither nulls nor escapes for text."""
    event = parse_event(altered("data.note", "☕ בבקשה"))

    assert "null" not in event.to_json()
    assert '"note":"☕ בבקשה"' in event.to_json()

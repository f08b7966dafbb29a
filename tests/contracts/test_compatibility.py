"""Breaking changes are found, and the affected consumers are named, for changed models."""

from typing import Annotated, Any, Literal

import pytest
import yaml
from compatibility import Break, breaks, changes
from event_schemas import schema_of, schemas
from generate import HERE, breaking_changes
from orderboard_contracts.events import OrderPlaced, OrderRejected, PlacedData, RejectedData
from orderboard_contracts.order import PricedLine
from pydantic import BaseModel, Field, create_model

CONSUMERS = yaml.safe_load((HERE / "consumers.yaml").read_text())
PLACED = "orderboard.order.placed.v1"
REJECTED = "orderboard.order.rejected.v1"
EVERYONE = ("worker", "notifier", "rig")


def with_fields(model: type[BaseModel], **fields: Any) -> type[BaseModel]:
    """The model with new or redefined fields."""
    return create_model(model.__name__, __base__=model, **fields)


def without(model: type[BaseModel], name: str) -> type[BaseModel]:
    """The model without a field."""
    kept: Any = {key: (field.annotation, field) for key, field in model.model_fields.items() if key != name}
    return create_model(model.__name__, **kept)


def breaks_of(event: type[BaseModel], data: type[BaseModel]) -> list[Break]:
    """The breaking changes if an event gets other data."""
    name = event.model_fields["type"].default
    changed = schema_of(with_fields(event, data=(data, ...)))
    return breaks(schemas(), {**schemas(), name: changed}, CONSUMERS)


def test_the_models_break_nobody() -> None:
    """The models are compatible with the committed schemas."""
    assert [str(each) for each in breaking_changes()] == []


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        pytest.param("channel", (str | None, None), id="a new field that may be missing"),
        pytest.param("channel", (int, 0), id="a new field with a default"),
        pytest.param("channel", (Literal["web", "kiosk"], "web"), id="a new field with a default of some values"),
        pytest.param("customer_id", (str, Field(description="The orderer.", examples=["ada"])), id="a description"),
    ],
)
def test_a_compatible_change_breaks_nobody(name: str, definition: tuple[Any, Any]) -> None:
    """Old consumers ignore a new field, new ones do not need it, and descriptions do not matter."""
    assert breaks_of(OrderPlaced, with_fields(PlacedData, **{name: definition})) == []


def test_a_new_type_breaks_nobody() -> None:
    """A new event, or a new version beside the old one, has no consumers yet."""
    new = {**schemas(), "orderboard.order.placed.v2": schemas()[PLACED]}

    assert breaks(schemas(), new, CONSUMERS) == []


def test_a_removed_type_affects_its_consumers() -> None:
    """A removed event affects its consumers and no others."""
    rest = {name: schema for name, schema in schemas().items() if name != REJECTED}

    [lost] = breaks(schemas(), rest, CONSUMERS)

    assert lost.hurts == ("notifier", "rig")
    assert str(lost).startswith(f"{REJECTED}: the whole document is gone")


@pytest.mark.parametrize(
    ("data", "change"),
    [
        pytest.param(
            without(PlacedData, "digest"),
            ("data.digest", "is gone: earlier consumers refuse documents without it", EVERYONE),
            id="a removed required field: old consumers reject documents without it, even if they do not use it",
        ),
        pytest.param(
            without(PlacedData, "note"),
            ("data.note", "is gone", ("worker",)),
            id="a removed optional field: consumers that do not read it are not affected",
        ),
        pytest.param(without(PlacedData, "fault"), ("data.fault", "is gone", ("worker", "rig")), id="of two consumers"),
        pytest.param(
            with_fields(PlacedData, channel=(str, ...)),
            ("data.channel", "is new and required: earlier documents, which lack it, are refused", EVERYONE),
            id="a new required field: documents in queues and in the archive lack it",
        ),
    ],
)
def test_a_removed_or_required_field_is_breaking(data: type[BaseModel], change: tuple[str, str, tuple[str]]) -> None:
    """The path, the text and the affected consumers are reported."""
    [found] = breaks_of(OrderPlaced, data)

    assert (found.change.path, found.change.what, found.hurts) == change


@pytest.mark.parametrize(
    ("name", "definition", "expected"),
    [
        ("note", (str, ...), ["data.note is now required", "data.note may no longer be null"]),
        ("customer_id", (str | None, None), ["customer_id may now be left out", "customer_id may now be null"]),
        ("total_cents", (str, ...), ["may no longer be integer", "may now be string"]),
        ("total_cents", (int, Field(ge=100)), ["data.total_cents has another minimum (0 before, 100 now)"]),
        ("total_cents", (int, ...), ["data.total_cents has another minimum (0 before, None now)"]),
        ("customer_id", (str, Field(pattern="^a")), ["data.customer_id has another pattern (None before, ^a now)"]),
        ("priority", (Literal["normal"], ...), ["data.priority may no longer be express: earlier documents"]),
        ("priority", (Literal["normal", "express", "vip"], ...), ["data.priority may now be vip: earlier consumers"]),
        ("priority", (str, ...), ["data.priority may be anything, not only normal, express"]),
        ("digest", (Literal["x"], ...), ["data.digest may only be x: earlier documents"]),
        ("currency", (Literal["USD"], ...), ["may no longer be EUR", "may now be USD"]),
        (
            "lines",
            (tuple[str, ...], Field(min_length=1)),
            ["lines[] may no longer be object", "lines[] may now be string"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_field_hurts_every_consumer(name: str, definition: tuple[Any, Any], expected: list[str]) -> None:
    """Incompatible presence, type, values and bounds are found."""
    changed = breaks_of(OrderPlaced, with_fields(PlacedData, **{name: definition}))

    assert len(changed) == len(expected)
    for each, text in zip(sorted(map(str, changed)), sorted(expected), strict=True):
        assert text in each
    assert {each.hurts for each in changed} == {EVERYONE}


def test_a_change_deep_inside_is_found() -> None:
    """Nested fields and list items are compared, and named by their path."""
    line = with_fields(PricedLine, quantity=(Annotated[int, Field(ge=0)], ...))
    data = with_fields(PlacedData, lines=(tuple[line, ...], Field(min_length=1)))  # type: ignore[valid-type]

    [change] = breaks_of(OrderPlaced, data)

    assert change.change.path == "data.lines[].quantity"
    assert "another minimum (1 before, 0 now)" in change.change.what


def test_a_changed_envelope_is_found() -> None:
    """A changed constant in the envelope is a breaking change."""
    old = schemas()[REJECTED]
    specversion = {**old["properties"]["specversion"], "const": "2.0"}
    new = {**old, "properties": {**old["properties"], "specversion": specversion}}

    assert [str(change.what) for change in changes(old, new)] == [
        "may no longer be 1.0: earlier documents are refused",
        "may now be 2.0: earlier consumers refuse that",
    ]


def test_a_new_reason_hurts_those_who_take_rejections() -> None:
    """An additional value is breaking: an old notifier would send such a rejection to its dead-letter queue."""
    reasons = (Literal["sold_out", "idempotency_conflict", "closed"], ...)

    [change] = breaks_of(OrderRejected, with_fields(RejectedData, reason=reasons))

    assert str(change) == (
        f"{REJECTED}: data.reason may now be closed: earlier consumers refuse that; hurts notifier, rig"
    )


def test_a_break_without_known_consumers_is_reported() -> None:
    """A break is reported even if no consumer is known."""
    [change] = breaks({PLACED: schemas()[PLACED]}, {}, {})

    assert "hurts no consumer that is named in consumers.yaml" in str(change)


def test_unchanged_schemas_break_nobody() -> None:
    """Identical schemas are compatible."""
    assert breaks(schemas(), schemas(), CONSUMERS) == []

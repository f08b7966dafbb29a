"""Breaking changes are found, and the affected consumers are named, for changed models."""

from typing import Annotated, Any, Literal

import pytest
import yaml
from compatibility import Break, breaks, changes
from event_schemas import schema_of, schemas
from generate import HERE, breaking_changes
from orderboard_contracts.events import OrderPlaced, OrderRejected, RejectedData
from orderboard_contracts.order import PricedLine
from pydantic import BaseModel, Field, create_model

CONSUMERS = yaml.safe_load((HERE / "consumers.yaml").read_text())
PLACED = "orderboard.order.placed.v1"
REJECTED = "orderboard.order.rejected.v1"
EVERYONE = ("worker", "notifier", "rig")
Lines = Annotated[tuple[str, ...], Field(min_length=1)]


def with_data(event: type[BaseModel], data: type[BaseModel]) -> type[BaseModel]:
    """The event with other data."""
    return with_fields(event, data=(data, ...))


def with_fields(model: type[BaseModel], **fields: Any) -> type[BaseModel]:
    """The model with some fields as given, new or redefined."""
    return create_model(model.__name__, __base__=model, **fields)


def without(model: type[BaseModel], *names: str) -> type[BaseModel]:
    """The model without some of its fields."""
    kept: Any = {name: (field.annotation, field) for name, field in model.model_fields.items() if name not in names}
    return create_model(model.__name__, **kept)


def placed_data() -> type[BaseModel]:
    """The data of an order placed."""
    annotation = OrderPlaced.model_fields["data"].annotation
    assert isinstance(annotation, type)
    return annotation


def found(event: type[BaseModel], data: type[BaseModel]) -> list[Break]:
    """The breaking changes if an event gets other data."""
    name = event.model_fields["type"].default
    return breaks(schemas(), {**schemas(), name: schema_of(with_data(event, data))}, CONSUMERS)


def summary(found_breaks: list[Break]) -> list[tuple[str, str, tuple[str, ...]]]:
    """The path, the text and the affected consumers of each breaking change."""
    return [(each.change.path, each.change.what, each.hurts) for each in found_breaks]


def test_the_models_break_nobody() -> None:
    """The models are compatible with the committed schemas."""
    assert [str(each) for each in breaking_changes()] == []


@pytest.mark.parametrize(
    "addition",
    [(str | None, None), (int, 0), (Literal["web", "kiosk"], "web")],
    ids=["may be missing", "has a default", "has a default of some values"],
)
def test_an_addition_breaks_nobody(addition: tuple[Any, Any]) -> None:
    """A new field that old documents may lack is compatible: old consumers ignore it, new ones do not need it."""
    assert found(OrderPlaced, with_fields(placed_data(), channel=addition)) == []


def test_other_words_break_nobody() -> None:
    """Descriptions and examples do not affect compatibility."""
    described = (str, Field(description="Who ordered it.", examples=["ada"]))

    assert found(OrderPlaced, with_fields(placed_data(), customer_id=described)) == []


def test_a_new_type_breaks_nobody() -> None:
    """A new event, or a new version beside the old one, has no consumers yet."""
    new = {**schemas(), "orderboard.order.placed.v2": schemas()[PLACED]}

    assert breaks(schemas(), new, CONSUMERS) == []


def test_a_type_that_is_gone_hurts_its_consumers() -> None:
    """A removed event affects its consumers and no others."""
    rest = {name: schema for name, schema in schemas().items() if name != REJECTED}

    [lost] = breaks(schemas(), rest, CONSUMERS)

    assert lost.hurts == ("notifier", "rig")
    assert str(lost).startswith(f"{REJECTED}: the whole document is gone")


def test_a_required_field_that_is_gone_hurts_every_consumer() -> None:
    """Old consumers reject a document without it, even if they do not use the field."""
    assert summary(found(OrderPlaced, without(placed_data(), "digest"))) == [
        ("data.digest", "is gone: earlier consumers refuse documents without it", EVERYONE)
    ]


@pytest.mark.parametrize(("name", "readers"), [("note", ("worker",)), ("fault", ("worker", "rig"))])
def test_a_removed_optional_field_affects_those_that_read_it(name: str, readers: tuple[str, ...]) -> None:
    """Consumers that do not read an optional field are not affected."""
    assert summary(found(OrderPlaced, without(placed_data(), name))) == [(f"data.{name}", "is gone", readers)]


def test_a_new_required_field_hurts_every_consumer() -> None:
    """Documents in queues and in the archive lack it, and would be rejected."""
    what = "is new and required: earlier documents, which lack it, are refused"

    assert summary(found(OrderPlaced, with_fields(placed_data(), channel=(str, ...)))) == [
        ("data.channel", what, EVERYONE)
    ]


@pytest.mark.parametrize(
    ("name", "definition", "expected"),
    [
        ("note", (str, ...), ["data.note is now required", "data.note may no longer be null"]),
        (
            "customer_id",
            (str | None, None),
            ["customer_id may now be left out", "customer_id may now be null"],
        ),
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
    changed = found(OrderPlaced, with_fields(placed_data(), **{name: definition}))

    assert len(changed) == len(expected)
    for each, text in zip(sorted(map(str, changed)), sorted(expected), strict=True):
        assert text in each
    assert {each.hurts for each in changed} == {EVERYONE}


def test_a_change_deep_inside_is_found() -> None:
    """Nested fields and list items are compared, and named by their path."""
    line = with_fields(PricedLine, quantity=(Annotated[int, Field(ge=0)], ...))
    data = with_fields(placed_data(), lines=(tuple[line, ...], Field(min_length=1)))  # type: ignore[valid-type]

    [change] = found(OrderPlaced, data)

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

    [change] = found(OrderRejected, with_fields(RejectedData, reason=reasons))

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

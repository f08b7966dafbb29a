"""The golden samples agree with models and schemas."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from event_schemas import MODELS
from generate import committed_schemas
from jsonschema import Draft202012Validator
from orderboard_contracts.alert import parse_alert
from orderboard_contracts.events import EVENT_CLASSES, OrderPlaced, parse_event
from orderboard_contracts.order import MAX_LINES, MAX_NOTE_CHARACTERS, MAX_QUANTITY, total_cents
from pydantic import BaseModel, ValidationError
from support.golden_samples import ALERT_SAMPLES, EVENT_SAMPLES, document_type

ALL = (*EVENT_SAMPLES, *ALERT_SAMPLES)
FROM_A_NEWER_WRITER = tuple(sample for sample in ALL if sample.stem.endswith("--from-a-newer-writer"))
FROM_THIS_WRITER = tuple(sample for sample in ALL if sample not in FROM_A_NEWER_WRITER)


def each(samples: tuple[Path, ...]) -> pytest.MarkDecorator:
    """Run a test for each of these samples."""
    return pytest.mark.parametrize("sample", samples, ids=lambda path: path.stem)


def parsed(sample: Path) -> BaseModel:
    """The sample as its consumers read it."""
    parse: Callable[[str], BaseModel] = parse_alert if sample in ALERT_SAMPLES else parse_event
    return parse(sample.read_text())


def json_of(model: BaseModel) -> dict[str, Any]:
    """The model as its writers write it, parsed again."""
    document: dict[str, Any] = json.loads(model.model_dump_json(exclude_none=True))
    return document


@each(ALL)
def test_sample_is_what_its_name_says(sample: Path) -> None:
    """A sample is parsed as the model of the type in its name."""
    assert type(parsed(sample)) is MODELS[document_type(sample)]


@each(FROM_THIS_WRITER)
def test_sample_survives_reading_and_writing(sample: Path) -> None:
    """A parsed sample is written as the same document."""
    assert json_of(parsed(sample)) == json.loads(sample.read_text())


@each(ALL)
def test_sample_fits_the_committed_schema(sample: Path) -> None:
    """A sample is valid by the schema too."""
    schema = committed_schemas()[document_type(sample)]
    Draft202012Validator.check_schema(schema)

    errors = list(Draft202012Validator(schema).iter_errors(json.loads(sample.read_text())))

    assert errors == []


@each(FROM_A_NEWER_WRITER)
def test_unknown_fields_are_ignored_on_reading(sample: Path) -> None:
    """Fields of a newer writer, at any depth, are ignored; the rest is parsed."""
    document, known = json.loads(sample.read_text()), json_of(parsed(sample))

    assert set(document) > set(known)
    assert all(document[name] == value for name, value in known.items() if name != "data")


@each(FROM_A_NEWER_WRITER)
def test_unknown_fields_are_refused_on_writing(sample: Path) -> None:
    """Creating a document with unknown fields fails and names each of them, at every depth."""
    document = json.loads(sample.read_text())

    with pytest.raises(ValidationError) as raised:
        MODELS[document_type(sample)].model_validate(document)

    refused = {
        ".".join(map(str, error["loc"])) for error in raised.value.errors() if error["type"] == "extra_forbidden"
    }
    expected = {"data.channel", "data.tip_cents", "data.lines.0.extras", "dataschema", "loyalty"}
    assert refused == (expected if "data" in document else {"colour"})


def test_every_type_has_its_samples() -> None:
    """Every event and the alert have samples."""
    assert {document_type(sample) for sample in EVENT_SAMPLES} == set(EVENT_CLASSES)
    assert {document_type(sample) for sample in ALL} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_every_optional_field_is_there_once_and_missing_once(name: str) -> None:
    """Each optional field is present in one sample of its type and missing in another."""
    documents = [json.loads(sample.read_text()) for sample in ALL if document_type(sample) == name]
    schema = committed_schemas()[name]
    parts = {"": schema}
    if "data" in schema["properties"]:
        parts["data"] = schema["$defs"][schema["properties"]["data"]["$ref"].removeprefix("#/$defs/")]

    for part, part_schema in parts.items():
        for field in set(part_schema["properties"]) - set(part_schema["required"]):
            present = [field in (document[part] if part else document) for document in documents]
            assert any(present), f"no sample of {name} has {part}.{field}"
            assert not all(present), f"every sample of {name} has {part}.{field}"


@each(tuple(sample for sample in EVENT_SAMPLES if "order.placed" in sample.stem))
def test_placed_samples_add_up(sample: Path) -> None:
    """The total of an order is the sum of its lines, and its id is the subject."""
    event = parsed(sample)

    assert isinstance(event, OrderPlaced)
    assert event.data.total_cents == total_cents(event.data.lines)
    assert event.data.order_id == event.subject


def test_the_largest_order_is_among_them() -> None:
    """One sample is as large as the limits allow, with a note of four-byte characters, and still below 26 kB."""
    placed = [event for event in map(parsed, EVENT_SAMPLES) if isinstance(event, OrderPlaced)]
    largest = max(placed, key=lambda event: len(event.to_json()))

    assert len(largest.data.lines) == MAX_LINES
    assert {line.quantity for line in largest.data.lines} == {MAX_QUANTITY}
    assert largest.data.note is not None
    assert len(largest.data.note.encode()) == 4 * MAX_NOTE_CHARACTERS
    assert len(largest.data.customer_id) == 64
    assert len(largest.to_json().encode()) < 256 * 1024 / 10

"""The generated files, and the command that makes them."""

from pathlib import Path

import pytest
from event_schemas import DIALECT, schema_of, schemas
from generate import HERE, TEMPLATE, committed_schemas, generated, main
from jsonschema import Draft202012Validator
from orderboard_contracts.events import EVENT_CLASSES, OrderPlaced


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A directory where everything is freshly generated."""
    assert main([], root=tmp_path) == 0
    return tmp_path


def test_the_committed_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    """What is committed is what the models and the template make; if not: python contracts/generate.py."""
    exit_code = main(["--check"])

    assert (exit_code, capsys.readouterr().err) == (0, "")


def test_check_names_the_stale_files(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that differs, one that is missing and one that is left over are each named, and nothing is written."""
    schema_files = sorted((written / "schemas").glob("*.json"))
    schema_files[0].unlink()
    (written / "asyncapi.yaml").write_text("asyncapi: 1.0.0\n")
    left_over = written / "schemas" / "orderboard.order.lost.v1.json"
    left_over.write_text("{}")

    exit_code = main(["--check"], root=written)

    told = capsys.readouterr().err
    assert exit_code == 1
    for path in ("asyncapi.yaml", f"schemas/{schema_files[0].name}", "schemas/orderboard.order.lost.v1.json"):
        assert f"stale: contracts/{path}; mend it with: python contracts/generate.py" in told
    assert told.count("stale:") == 3
    assert left_over.exists()


def test_writing_mends_what_is_stale(written: Path) -> None:
    """After writing, nothing is stale, and writing again changes nothing."""
    (written / "asyncapi.yaml").write_text("asyncapi: 1.0.0\n")

    assert main([], root=written) == 0
    assert main(["--check"], root=written) == 0


def test_what_breaks_consumers_is_not_written_unasked(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schema on disk that has a field which the model lost is kept, and the consumers who read it are named."""
    path = written / "schemas" / "orderboard.order.rejected.v1.json"
    before = path.read_text().replace('"detail": {', '"remedy": {"type": "string"},\n        "detail": {')
    path.write_text(before.replace('"reason",', '"reason",\n        "remedy",'))

    refused = main([], root=written)
    told = capsys.readouterr().err
    accepted = main(["--accept-breaking"], root=written)

    assert (refused, accepted) == (1, 0)
    assert "orderboard.order.rejected.v1: data.remedy is gone" in told
    assert "hurts notifier, rig" in told
    assert main(["--check"], root=written) == 0


def test_a_template_that_lacks_a_resource_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a queue that the document describes, the error says which one, and where it was looked for."""
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.read_text().replace("${Prefix}-express\n", "${Prefix}-fast\n"))

    exit_code = main(["--check", "--template", str(template)])

    assert exit_code == 1
    assert f"{template}: no AWS::SQS::Queue is named orderboard-express" in capsys.readouterr().err


def test_every_file_is_made_from_somewhere() -> None:
    """One schema for each event and the alert, and the AsyncAPI document; nothing else is generated."""
    names = {f"schemas/{name}.json" for name in (*EVENT_CLASSES, "orderboard.alert.v1")}

    assert {str(path) for path in generated()} == names | {"asyncapi.yaml"}
    assert {f"schemas/{name}.json" for name in committed_schemas(HERE)} == names


@pytest.mark.parametrize("name", schemas())
def test_schemas_are_json_schema_2020_12(name: str) -> None:
    """Every schema says which dialect it is in, and is valid in it."""
    schema = schemas()[name]

    assert schema["$schema"] == DIALECT
    Draft202012Validator.check_schema(schema)


def test_schemas_are_for_readers() -> None:
    """What is always written is required, what may be left out is not, and nothing unknown is forbidden."""
    schema = schema_of(OrderPlaced)

    always = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
    assert set(schema["required"]) == always
    assert {"note", "fault"}.isdisjoint(schema["$defs"]["PlacedData"]["required"])
    assert "additionalProperties" not in str(schema)

"""The generated files, and the command that generates them."""

from pathlib import Path

import pytest
from event_schemas import DIALECT, schema_of, schemas
from generate import HERE, TEMPLATE, committed_schemas, generated, main
from jsonschema import Draft202012Validator
from orderboard_contracts.events import EVENT_CLASSES, OrderPlaced


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A directory with freshly generated files."""
    assert main([], root=tmp_path) == 0
    return tmp_path


def test_the_committed_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    """The committed files match the models and the template; if not, run python contracts/generate.py."""
    exit_code = main(["--check"])

    assert (exit_code, capsys.readouterr().err) == (0, "")


def test_check_names_the_stale_files(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Differing, missing and obsolete files are named, and nothing is written."""
    schema_files = sorted((written / "schemas").glob("*.json"))
    schema_files[0].unlink()
    (written / "asyncapi.yaml").write_text("asyncapi: 1.0.0\n")
    obsolete = written / "schemas" / "orderboard.order.lost.v1.json"
    obsolete.write_text("{}")

    exit_code = main(["--check"], root=written)

    output = capsys.readouterr().err
    assert exit_code == 1
    for path in ("asyncapi.yaml", f"schemas/{schema_files[0].name}", "schemas/orderboard.order.lost.v1.json"):
        assert f"stale: contracts/{path}; run: python contracts/generate.py" in output
    assert output.count("stale:") == 3
    assert obsolete.exists()


def test_writing_updates_stale_files(written: Path) -> None:
    """After writing, nothing is stale, and writing again changes nothing."""
    (written / "asyncapi.yaml").write_text("asyncapi: 1.0.0\n")

    assert main([], root=written) == 0
    assert main(["--check"], root=written) == 0


def test_breaking_changes_are_written_only_if_accepted(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schema whose field the model no longer has is kept, and the affected consumers are named."""
    path = written / "schemas" / "orderboard.order.rejected.v1.json"
    before = path.read_text().replace('"detail": {', '"remedy": {"type": "string"},\n        "detail": {')
    path.write_text(before.replace('"reason",', '"reason",\n        "remedy",'))

    refused = main([], root=written)
    output = capsys.readouterr().err
    accepted = main(["--accept-breaking"], root=written)

    assert (refused, accepted) == (1, 0)
    assert "orderboard.order.rejected.v1: data.remedy is gone" in output
    assert "hurts notifier, rig" in output
    assert main(["--check"], root=written) == 0


def test_a_template_that_lacks_a_resource_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing queue is an error that names the queue and the template."""
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.read_text().replace("${Prefix}-express\n", "${Prefix}-fast\n"))

    exit_code = main(["--check", "--template", str(template)])

    assert exit_code == 1
    assert f"{template}: no AWS::SQS::Queue is named orderboard-express" in capsys.readouterr().err


def test_the_files_are_the_schemas_and_the_asyncapi_document() -> None:
    """There is a schema for each event and the alert, the AsyncAPI document, and nothing else."""
    names = {f"schemas/{name}.json" for name in (*EVENT_CLASSES, "orderboard.alert.v1")}

    assert {str(path) for path in generated()} == names | {"asyncapi.yaml"}
    assert {f"schemas/{name}.json" for name in committed_schemas(HERE)} == names


@pytest.mark.parametrize("name", schemas())
def test_schemas_are_json_schema_2020_12(name: str) -> None:
    """Every schema names its dialect and is valid in it."""
    schema = schemas()[name]

    assert schema["$schema"] == DIALECT
    Draft202012Validator.check_schema(schema)


def test_schemas_are_for_readers() -> None:
    """Fields that are always written are required, optional ones are not, and unknown ones are allowed."""
    schema = schema_of(OrderPlaced)

    always = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
    assert set(schema["required"]) == always
    assert {"note", "fault"}.isdisjoint(schema["$defs"]["PlacedData"]["required"])
    assert "additionalProperties" not in str(schema)

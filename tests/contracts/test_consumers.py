"""consumers.yaml is true: the fields exist, and the consumers' code reads them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from event_schemas import schemas
from generate import HERE

ROOT = HERE.parent
CONSUMERS: dict[str, dict[str, list[str]]] = yaml.safe_load((HERE / "consumers.yaml").read_text())
SOURCES = {
    "worker": ROOT / "services" / "worker" / "src",
    "notifier": ROOT / "services" / "notifier" / "src",
    "rig": ROOT / "rig" / "src",
}
READS = [
    (consumer, name, path) for consumer, reads in CONSUMERS.items() for name, paths in reads.items() for path in paths
]


def fields(schema: Mapping[str, Any], root: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The paths of all fields, as in consumers.yaml."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "items" in schema:
        yield from fields(schema["items"], root, f"{above}[]")
    for name, below in schema.get("properties", {}).items():
        path = f"{above}.{name}".lstrip(".")
        yield path
        yield from fields(below, root, path)


def source_of(consumer: str) -> str:
    """All code of a consumer."""
    directory: Path = SOURCES[consumer]
    return "\n".join(path.read_text() for path in sorted(directory.rglob("*.py")))


def test_the_consumers_are_worker_notifier_and_rig() -> None:
    """order-api reads no events; worker, notifier and rig do."""
    assert set(CONSUMERS) == set(SOURCES)


def test_every_type_has_a_consumer() -> None:
    """Every event and the alert have a consumer."""
    assert {name for reads in CONSUMERS.values() for name in reads} == set(schemas())


@pytest.mark.parametrize(("consumer", "name", "path"), READS, ids=str)
def test_each_field_exists_and_is_read(consumer: str, name: str, path: str) -> None:
    """The schema has each field, and the consumer's code reads it as an attribute."""
    schema = schemas()[name]
    field = path.rsplit(".", 1)[-1].removesuffix("[]")

    assert path in set(fields(schema, schema))
    assert re.search(rf"\.{field}\b", source_of(consumer))

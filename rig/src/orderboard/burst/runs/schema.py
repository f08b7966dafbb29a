"""The JSON Schemas (2020-12) of what bursts read and write, published in docs/schemas."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from orderboard.burst.model import Summary
from orderboard.burst.runs.comparison import Comparison
from orderboard.burst.scenario.config import BurstConfig

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _ForWriters(GenerateJsonSchema):
    """The schema of documents that users write, in which a name that is not known is a mistake."""

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": DIALECT, **super().generate(schema, mode)}


class _ForReaders(_ForWriters):
    """The schema of documents as readers meet them.

    Fields that were added later have defaults, so they are optional; fields that are added later still are allowed.
    The format, which names the version, is always there.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        json_schema = super().model_schema(schema)
        json_schema.pop("additionalProperties", None)
        return json_schema

    def field_is_required(
        self, field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField, total: bool
    ) -> bool:
        inner = field["schema"]
        is_format = inner["type"] == "default" and inner["schema"]["type"] == "literal" and "default" in inner
        return (is_format and inner["default"] is not None) or super().field_is_required(field, total)


# By the name for `bursts schema` -> the file, the model, and whether the document is written (else it is read).
_DOCUMENTS: Final[Mapping[str, tuple[str, type[BaseModel], JsonSchemaMode]]] = {
    "run": ("orderboard.burst.v1.json", Summary, "serialization"),
    "comparison": ("orderboard.comparison.v1.json", Comparison, "serialization"),
    "config": ("orderboard.burst-config.json", BurstConfig, "validation"),
}
DOCUMENTS: Final = tuple(_DOCUMENTS)


def schema(name: str) -> dict[str, Any]:
    """Return the schema of a document. A field `format` names its version."""
    _, model, mode = _DOCUMENTS[name]
    generator = _ForReaders if mode == "serialization" else _ForWriters
    return model.model_json_schema(schema_generator=generator, mode=mode)


def schema_file(name: str) -> str:
    """Return the name of the published file."""
    return _DOCUMENTS[name][0]


def schema_text(name: str) -> str:
    """Return the schema as it is published. JSON's word for None is null."""
    return re.sub(r"\bNone\b", "null", json.dumps(schema(name), indent=2, ensure_ascii=False)) + "\n"

"""The JSON Schema (2020-12) of summary.json, published as docs/schemas/orderboard.burst.v1.json."""

import json
import re
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from orderboard.burst.model import Summary

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _ForReaders(GenerateJsonSchema):
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

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": DIALECT, **super().generate(schema, mode)}


def schema() -> dict[str, Any]:
    """Return the schema. The document's `format` names its version."""
    return Summary.model_json_schema(schema_generator=_ForReaders, mode="serialization")


def schema_text() -> str:
    """Return the schema as it is published. JSON's word for None is null."""
    return re.sub(r"\bNone\b", "null", json.dumps(schema(), indent=2, ensure_ascii=False)) + "\n"

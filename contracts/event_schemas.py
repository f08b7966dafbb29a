"""The JSON Schema (2020-12) of every document on a queue, a topic or the bus, generated from the models."""

from collections.abc import Mapping
from typing import Any, Final, cast

from orderboard_contracts.alert import ALERT_TYPE, Alert
from orderboard_contracts.events import EVENT_CLASSES
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MODELS: Final[Mapping[str, type[BaseModel]]] = {**EVENT_CLASSES, ALERT_TYPE: Alert}


class _OnTheWire(GenerateJsonSchema):
    """The schema of documents as readers receive them.

    Fields that writers always write are required, even if the model has a default (the type, the version). Writers omit
    None, so such fields are optional. Readers ignore unknown fields, so additional ones are allowed.
    """

    schema_dialect = DIALECT

    def field_is_required(
        self, field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField, total: bool
    ) -> bool:
        default = field["schema"] if field["schema"]["type"] == "default" else None
        if default is not None:
            return cast("core_schema.WithDefaultSchema", default).get("default") is not None
        return super().field_is_required(field, total)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        json_schema = super().model_schema(schema)
        json_schema.pop("additionalProperties", None)
        return json_schema

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def schema_of(model: type[BaseModel]) -> Schema:
    """Return the schema of a model's documents."""
    return model.model_json_schema(schema_generator=_OnTheWire)


def schemas() -> dict[str, Schema]:
    """Return every schema by the type of its documents."""
    return {name: schema_of(model) for name, model in MODELS.items()}

"""The base of the results' values, and fields that JSON writes in another way than Python has them."""

import math
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

# JSON has no infinity: null in the file, and infinite again when it is read.
MaybeInfinite = Annotated[
    float,
    BeforeValidator(lambda value: math.inf if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]

# null in the file where only the answers were judged; Python has 0 then, and looks at the verdict's `basis` first.
Proven = Annotated[
    int,
    BeforeValidator(lambda value: 0 if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
]
ProvenSeconds = Annotated[
    float,
    BeforeValidator(lambda value: 0.0 if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]


class Value(BaseModel):
    """A value that does not change and has no other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

"""The service model as a judge: what AWS must refuse, decided apart from the engine's own checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from fuzz.examples import Embedded

# Services that do not check enums, or only later and with other errors.
_WITHOUT_ENUMS = {"sqs", "sns"}
# An enum that AWS reads in any case.
_IN_ANY_CASE = {"ConnectionOAuthHttpMethod"}
_TYPES: dict[str, type] = {"boolean": bool, "integer": int, "long": int, "string": str}


def broken(shape: Shape | None, value: Any, service: str, *, typed: bool) -> str | None:
    """Return the first constraint that a value breaks; None if it breaks none. `typed`: the protocol has types."""
    return next(_broken(shape, value, service, typed=typed), None)


def _broken(shape: Shape | None, value: Any, service: str, *, typed: bool) -> Iterator[str]:
    if isinstance(value, Embedded) and typed and shape is not None and shape.type_name != "string":
        yield "a text where none is allowed"
    if shape is None or value is None or isinstance(value, Embedded):
        return
    match shape, value:
        case StructureShape(), dict():
            missing = (name for name in shape.required_members if value.get(name) is None)
            yield from (f"{name} is required" for name in missing if value or typed)  # a form has no empty structures
            for name in value.keys() & shape.members.keys():
                member = shape.members[name]  # one in the path or the query string is a text
                has_type = typed and "location" not in member.serialization
                yield from (f"{name}: {one}" for one in _broken(member, value[name], service, typed=has_type))
        case ListShape(), list():
            for item in value:
                yield from _broken(shape.member, item, service, typed=typed)
            sent = [item for item in value if item is not None and (typed or item != {})]  # as above
            yield from _beyond(shape, len(sent), "length")
        case MapShape(), dict():
            for item in value.values():
                yield from _broken(shape.value, item, service, typed=typed)
        case ((StructureShape() | ListShape() | MapShape()), _):
            yield from [f"not a {shape.type_name}"] if typed else []
        case _:
            yield from _broken_scalar(shape, value, service, typed=typed)


def _broken_scalar(shape: Shape, value: Any, service: str, *, typed: bool) -> Iterator[str]:
    kind = shape.type_name
    is_number = kind in {"integer", "long", "float", "double"}
    if typed and kind in _TYPES and not _is_of(kind, value):
        yield f"not a {kind}"
    elif is_number and isinstance(value, int | float):
        yield from _beyond(shape, value, "value")
    elif is_number and not typed and isinstance(value, str) and value and not re.fullmatch(r"[-+]?[0-9]+", value):
        yield "not a number"
    elif kind == "string" and isinstance(value, str) and (value or typed):
        yield from _beyond(shape, len(value), "length")
        yield from _misspelt(shape, value, service) if value else []


def _is_of(kind: str, value: Any) -> bool:
    if kind in {"integer", "long"} and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _misspelt(shape: Shape, value: str, service: str) -> Iterator[str]:
    written = value.upper() if shape.name in _IN_ANY_CASE else value
    if shape.metadata.get("enum") and service not in _WITHOUT_ENUMS and written not in shape.metadata["enum"]:
        yield "not of the enum"
    try:
        if not re.fullmatch(shape.metadata.get("pattern", ".*"), value, re.DOTALL):
            yield f"not of the pattern {shape.metadata['pattern']}"
    except re.error:  # a pattern that only Java knows
        return


def _beyond(shape: Shape, size: float, measure: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        yield f"{measure} {size} is not in {low}..{high}"

"""Values as AWS's validation errors show them: `[PutEventsRequestEntry(time=null, source=orders, ...)]`."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def shown(value: Any, shape: Shape) -> str:
    """The value of a shape as a text. Members that only AWS's own model has are not there."""
    match shape, value:
        case ListShape(), list():
            return f"[{', '.join(shown(item, shape.member) for item in value)}]"
        case MapShape(), dict():
            return f"{{{', '.join(f'{key}={shown(item, shape.value)}' for key, item in value.items())}}}"
        case StructureShape(), dict():
            members = (f"{_lower(name)}={shown(value.get(name), of)}" for name, of in shape.members.items())
            return f"{shape.name}({', '.join(members)})"
        case _, None:
            return "null"
        case _, bool():
            return str(value).lower()
    return str(value)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]

"""The constraints of a service's model: required members, lengths, ranges, enums and patterns.

A shape is compiled once to a check, a function that yields every violation in a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from localbus.protocol.shapes import ListShape, MapShape, Shape, StructureShape

Path = tuple[str | int, ...]


class Violation(NamedTuple):
    """A broken constraint. `path` leads to the value: member names, and positions counted from 1.

    A missing member has no value: `value` is the name of the structure that lacks it.
    """

    path: Path
    constraint: str
    value: object
    missing: bool = False

    @property
    def member(self) -> str:
        """The path in the form of AWS's validation errors, such as `entries.1.member.source`."""
        parts = (f"{part}.member" if isinstance(part, int) else part[:1].lower() + part[1:] for part in self.path)
        return ".".join(parts)

    def __str__(self) -> str:
        value = "null" if self.missing else f"'{self.value}'"
        return f"Value {value} at '{self.member}' failed to satisfy constraint: {self.constraint}"


def describe(violations: list[Violation]) -> str:
    """Return the message of AWS's ValidationException for these violations."""
    plural = "" if len(violations) == 1 else "s"
    return f"{len(violations)} validation error{plural} detected: {'; '.join(map(str, violations))}"


# Enums that AWS reads in any case, and members that its errors show and its model does not have (recorded).
_IN_ANY_CASE = {"ConnectionOAuthHttpMethod"}
_UNDOCUMENTED = {"PutEventsRequestEntry": ("kmsKeyIdentifier", "internalMetadata")}

Check = Callable[[Any, Path], Iterator[Violation]]


def is_recursive(shape: Shape) -> bool:
    """Return whether values of a shape may contain others of the same shape."""
    return isinstance(shape, StructureShape) and any(_reaches(one, shape.name) for one in shape.members.values())


def _reaches(shape: Shape, name: str, seen: frozenset[str] = frozenset()) -> bool:
    if shape.name == name or shape.name in seen:
        return shape.name == name
    match shape:
        case StructureShape():
            inner = list(shape.members.values())
        case ListShape():
            inner = [shape.member]
        case MapShape():
            inner = [shape.value]
        case _:
            return False
    return any(_reaches(one, name, seen | {shape.name}) for one in inner)


def compile_check(shape: Shape, *, with_enums: bool) -> Check | None:
    """Return the check of a shape; None if its model has no constraint, or if its service reads it (`is_recursive`)."""
    if is_recursive(shape):
        return None

    def compile_inner(inner: Shape) -> Check | None:
        return compile_check(inner, with_enums=with_enums)

    if isinstance(shape, StructureShape):
        return _structure_check(shape, compile_inner)
    if isinstance(shape, ListShape):
        return _list_check(shape, compile_inner)
    if isinstance(shape, MapShape):
        return _map_check(shape, compile_inner)
    if shape.type_name in {"integer", "long", "float", "double"}:
        return _bounds_check(shape, "value", lambda value: value)
    return _text_check(shape, with_enums=with_enums) if shape.type_name in {"string", "blob"} else None


def _structure_check(shape: StructureShape, compile_inner: Callable[[Shape], Check | None]) -> Check | None:
    required = tuple(shape.required_members)
    checks = {name: check for name, member in shape.members.items() if (check := compile_inner(member))}
    if not required and not checks:
        return None

    def check_structure(value: dict[str, Any], path: Path) -> Iterator[Violation]:
        for name in required:
            if name not in value:
                yield Violation((*path, name), "Member must not be null", shape.name, missing=True)
        for name, check in checks.items():
            if name in value:
                yield from check(value[name], (*path, name))

    return check_structure


def _list_check(shape: ListShape, compile_inner: Callable[[Shape], Check | None]) -> Check | None:
    length, check = _bounds_check(shape, "length", len), compile_inner(shape.member)
    if length is None and check is None:
        return None

    def check_list(value: list[Any], path: Path) -> Iterator[Violation]:
        if length:
            yield from length(value, path)
        if check:
            for position, item in enumerate(value, 1):
                yield from check(item, (*path, position))

    return check_list


def _map_check(shape: MapShape, compile_inner: Callable[[Shape], Check | None]) -> Check | None:
    length = _bounds_check(shape, "length", len)
    key_check, value_check = compile_inner(shape.key), compile_inner(shape.value)
    if length is None and key_check is None and value_check is None:
        return None

    def check_map(value: dict[str, Any], path: Path) -> Iterator[Violation]:
        if length:
            yield from length(value, path)
        for key, item in value.items():
            if key_check:
                yield from key_check(key, path)
            if value_check:
                yield from value_check(item, (*path, key))

    return check_map


def _text_check(shape: Shape, *, with_enums: bool) -> Check | None:
    enum = (shape.traits.get("enum") or []) if with_enums else []
    allowed = frozenset(enum)
    read: Callable[[str], str] = str.upper if shape.name in _IN_ANY_CASE else str
    length = _bounds_check(shape, "length", len)
    try:
        pattern = re.compile(shape.traits["pattern"]) if "pattern" in shape.traits else None
    except re.error:  # a pattern that only Java's regular expressions know is not checked
        pattern = None
    if length is None and not enum and pattern is None:
        return None

    def check_text(value: Any, path: Path) -> Iterator[Violation]:
        if pattern and not pattern.fullmatch(value):
            yield Violation(path, f"Member must satisfy regular expression pattern: {pattern.pattern}", value)
        if length:
            yield from length(value, path)
        if allowed and read(value) not in allowed:
            yield Violation(path, f"Member must satisfy enum value set: [{', '.join(enum)}]", value)

    return check_text


def _bounds_check(shape: Shape, measure: str, measured: Callable[[Any], float]) -> Check | None:
    low, high = shape.traits.get("min"), shape.traits.get("max")
    if low is None and high is None:
        return None

    def check_bounds(value: Any, path: Path) -> Iterator[Violation]:
        if low is not None and measured(value) < low:
            yield Violation(path, f"Member must have {measure} greater than or equal to {low}", _text(value, shape))
        if high is not None and measured(value) > high:
            yield Violation(path, f"Member must have {measure} less than or equal to {high}", _text(value, shape))

    return check_bounds


def _text(value: Any, shape: Shape) -> Any:
    """Return a value as AWS's errors show it: `[PutEventsRequestEntry(time=null, source=orders, ...)]`."""
    match shape, value:
        case ListShape(), list():
            return f"[{', '.join(str(_text(item, shape.member)) for item in value)}]"
        case MapShape(), dict():
            return f"{{{', '.join(f'{key}={_text(item, shape.value)}' for key, item in value.items())}}}"
        case StructureShape(), dict():
            texts = {name: _text(value.get(name), member) for name, member in shape.members.items()}
            shown = [f"{name[:1].lower()}{name[1:]}={text}" for name, text in texts.items()]
            return (
                f"{shape.name}({', '.join([*shown, *(f'{name}=null' for name in _UNDOCUMENTED.get(shape.name, ()))])})"
            )
        case _, None | bool():
            return json.dumps(value)
        case _, datetime():  # as Java's Date
            return value.astimezone(UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    return value

"""Odd values: every place in a valid input, and what a careless or hostile client may put there."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StructureShape
from fuzz.examples import Embedded

MISSING: Any = type("Missing", (), {"__repr__": lambda _self: "missing"})()
_DEEP: Any = "x"
for _ in range(60):
    _DEEP = [_DEEP]
_NUMBERS = [0, -1, 1, 1.5, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1e300, float("nan"), float("inf"), -0.0]
_TEXTS = [
    *("", " ", "x", "\u00e9", "\u0663", "\uff11", "\u00b2", "\x00", "\ud83c", "\t", "a\nb", "\u2028", "x" * 300,
    "x" * 5000),
    *("true", "null", "0", "-1", "1_000", " 1", "1 ", "+5", "05", "0x10", "1e3", "1e400", "NaN", "Infinity",
    "9" * 5000),
    *("*", "<x>", "&amp;", '"', "'", "\\", "{", "[{", "{}", "[]", "[5]", '"x"', "5", '{"a": }', "http://[", "//",
    "../..", "%00"),
    *("arn:aws:sqs", ":::::", "arn:::::", "arn:aws:sqs:us-east-1:000000000000:", "rate(0 minutes)",
    "cron(* * * * ? *)"),
    *("2026-13-01T00:00:00Z", "0000-00-00", "$.a[", "$", "!Ref x", "{{resolve:ssm:x}}", "${x}", "alias/aws/sqs"),
]  # fmt: skip
_OTHERS = [None, True, False, [], {}, [None], [[]], {"": ""}, {"a": {"b": [1]}}, _DEEP]
_BROKEN_DOCUMENTS = [
    "", "{", "[", "nul", "5", "[]", "null", '"x"', "{}", "{'a': 1}", '{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}',
    '{"a": "\\ud800"}', '{"a": 1}x', "\ufeff{}", '{"a": 01}', "{" * 2000, '{"a":' * 300 + "1" + "}" * 300, '{"": {}}',
]  # fmt: skip

Path = tuple[Any, ...]


class Place(NamedTuple):
    """A place in an input. `shape` is None inside a document, `value` is MISSING where a member may be added."""

    path: Path
    shape: Shape | None
    value: Any
    required: bool = False


def places(shape: Shape | None, value: Any, path: Path = ()) -> Iterator[Place]:
    """Yield every place below a value; the last step into an embedded document is EMBEDDED."""
    if isinstance(value, Embedded):
        yield from places(None, value.value, (*path, Embedded))
        if isinstance(value.value, dict | list):
            return
    if isinstance(value, dict):
        members: Any = shape.members if isinstance(shape, StructureShape) else {}
        required = shape.required_members if isinstance(shape, StructureShape) else []
        for name, item in value.items():
            inner = shape.value if isinstance(shape, MapShape) else members.get(name)
            yield Place((*path, name), inner, item, name in required)
            yield from places(inner, item, (*path, name))
        for name, inner in members.items():
            if name not in value and not _is_union(shape):
                yield Place((*path, name), inner, MISSING)
    elif isinstance(value, list):
        inner = shape.member if isinstance(shape, ListShape) else None
        for position, item in enumerate(value):
            yield Place((*path, position), inner, item, required=True)
            yield from places(inner, item, (*path, position))


def _is_union(shape: Shape | None) -> bool:
    """Return whether a structure holds exactly one of its members, as DynamoDB's values do."""
    return shape is not None and shape.name == "AttributeValue"


def replaced(value: Any, path: Path, new: Any) -> Any:
    """Return a value with another one at a place."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, Embedded):
        return Embedded(replaced(value.value, rest if step is Embedded else path, new))
    changed = copy.copy(value)
    if rest or new is not MISSING:
        old = value[step] if isinstance(value, list) or step in value else {}
        changed_item = replaced(old, rest, new)
        if isinstance(changed, list):
            changed[step] = changed_item
        else:
            changed[step] = changed_item
    elif isinstance(changed, list):
        del changed[step]
    else:
        changed.pop(step, None)
    return changed


def odd(place: Place, rng: random.Random) -> Any:
    """Return an odd value for a place."""
    value = place.value
    kinds: list[Callable[[], Any]] = [
        lambda: rng.choice(_TEXTS),
        lambda: rng.choice(_OTHERS),
        lambda: rng.choice(_NUMBERS),
        lambda: MISSING,
    ]
    if place.shape is not None:
        kinds += [lambda: _at_limits(place.shape, rng)] * 2
        if _is_union(place.shape):
            kinds += [lambda: sample(place.shape, rng)] * 3 + [lambda: {**value, **sample(place.shape, rng)}]
    if value is MISSING:
        kinds = [*kinds[:3], lambda: sample(place.shape, rng), lambda: sample(place.shape, rng)]
    elif isinstance(value, Embedded):
        kinds += [lambda: rng.choice(_BROKEN_DOCUMENTS), lambda: Embedded(rng.choice([*_OTHERS, *_NUMBERS]))]
        kinds += [lambda: Embedded(Embedded(value.value)), lambda: Embedded([value.value])]
    elif isinstance(value, str):
        kinds += [lambda: _respelt(value, rng)] * 3
    elif isinstance(value, dict):
        kinds += [lambda: [value], lambda: {**value, "Extra": 1}, lambda: {k.swapcase(): v for k, v in value.items()}]
        kinds += [lambda: {rng.choice(_TEXTS): item for item in value.values()}]
    elif isinstance(value, list):
        kinds += [
            lambda: [*value, *value],
            lambda: (value or ["x"]) * 11,
            lambda: value and value[0],
            lambda: [*value, None],
        ]
    elif isinstance(value, int | float):
        kinds += [lambda: str(value), lambda: -value, lambda: value + 0.5, lambda: value * 1000]
    if value is not MISSING and not isinstance(value, list | dict):
        kinds += [lambda: [value], lambda: {"a": value}]
    return rng.choice(kinds)()


def _respelt(text: str, rng: random.Random) -> str:
    """Return a text that is almost right; one part of an ARN or a URL is another one."""
    parts = re.split(r"([:/])", text)
    at = rng.randrange(0, len(parts), 2)
    other = [
        "",
        "x",
        "eu-west-1",
        "111111111111",
        "*",
        "aws-cn",
        "sns",
        "\u0663" * 12,
        parts[at] + "x",
        parts[at].swapcase(),
    ]
    near = "".join([*parts[:at], rng.choice(other), *parts[at + 1 :]])
    return rng.choice(
        [near, near, text + " ", " " + text, text.swapcase(), text[:-1], text * 2, text + "\n", text + "\u00e9"]
    )


def _at_limits(shape: Shape | None, rng: random.Random) -> Any:
    """Return a value just beyond a limit of the model, or of another form than its pattern or its enum."""
    low, high = (shape.metadata.get(name) for name in ("min", "max")) if shape is not None else (None, None)
    options: list[Any] = []
    if shape is not None and shape.type_name in {"integer", "long", "float", "double"}:
        options += [low - 1] if low is not None else []
        options += [high + 1] if high is not None else []
    elif shape is not None and shape.type_name == "string":
        options += ["x" * (high + 1)] if high is not None and high < 1_000_000 else []
        options += ["x" * (low - 1)] if low else []
        options += [enum[0].swapcase(), f"{enum[0]} ", "OTHER"] if (enum := shape.metadata.get("enum")) else []
        options += ["\u00e9", "a b", "a/b:c"] if "pattern" in shape.metadata else []
    elif isinstance(shape, ListShape):
        options += [[sample(shape.member, rng)] * (high + 1)] if high is not None and high < 1_000 else []
        options += [[]] if low else []
    return rng.choice(options) if options else rng.choice(_TEXTS)


def sample(shape: Shape | None, rng: random.Random) -> Any:
    """Return a value of a shape's type."""
    match shape:
        case StructureShape() if _is_union(shape):
            name, inner = rng.choice(list(shape.members.items()))  # else it would be without end: it contains itself
            return {name: sample(inner, rng)}
        case StructureShape():
            return {name: sample(inner, rng) for name, inner in shape.members.items() if rng.random() < 0.7}
        case ListShape():
            return [sample(shape.member, rng)]
        case MapShape():
            return {sample(shape.key, rng): sample(shape.value, rng)}
    kind = shape.type_name if shape is not None else "string"
    if kind == "string":
        return rng.choice((shape.metadata.get("enum") if shape is not None else None) or ["x", "a" * 20, *_TEXTS])
    return {"boolean": rng.random() < 0.5, "blob": "eHg=", "timestamp": 1_767_225_600}.get(
        kind, rng.choice([1, 5, 100])
    )

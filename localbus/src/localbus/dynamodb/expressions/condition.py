"""The value of a bound expression for an item.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localbus.dynamodb.expressions.syntax import AttributeValue, Call, Item, Literal, Node, Path
from localbus.dynamodb.key_codec import encode

_ELEMENTS = {"SS": "S", "NS": "N", "BS": "B"}
_EMPTY: Item = {}


@dataclass(frozen=True)
class Condition:
    """A bound condition."""

    node: Node

    def matches(self, item: Item | None) -> bool:
        """Return whether the condition holds for an item, or for its absence."""
        return matches(self.node, _EMPTY if item is None else item)

    @property
    def names(self) -> set[str]:
        """The top-level attributes in the condition."""
        return {path.steps[0] for path in paths(self.node) if isinstance(path.steps[0], str)}


def paths(node: Node) -> list[Path]:
    """Return the paths in a node."""
    found, waiting = list[Path](), [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Path):
            found.append(one)
        elif isinstance(one, Call):
            waiting.extend(one.operands)
    return found


def matches(node: Node, item: Item) -> bool:
    """Return whether a bound condition holds for an item."""
    if not isinstance(node, Call):
        raise TypeError(f"a condition is an operator or a function, not {node}")
    name, operands = node.name, node.operands
    if name == "AND":
        return all(matches(operand, item) for operand in operands)
    if name == "OR":
        return any(matches(operand, item) for operand in operands)
    if name == "NOT":
        return not matches(operands[0], item)
    return _CONDITIONS[name]([value_of(operand, item) for operand in operands])


def value_of(node: Node, item: Item) -> AttributeValue | None:
    """Return the value of a bound operand, or None without one. Functions of updates are not here."""
    if isinstance(node, Path):
        return at_path(node.steps, item)
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Call) and node.name == "size":
        value = value_of(node.operands[0], item)
        size = None if value is None else size_of(value)
        return None if size is None else {"N": str(size)}
    raise TypeError(f"not an operand of a condition: {node}")


def at_path(steps: Sequence[str | int], item: Item) -> AttributeValue | None:
    """Return the value at a path, or None."""
    value: AttributeValue | None = {"M": item}
    for step in steps:
        if value is None:
            return None
        if isinstance(step, str):
            value = value.get("M", _EMPTY).get(step)
        else:
            members = value.get("L", ())
            value = members[step] if step < len(members) else None
    return value


def size_of(value: AttributeValue) -> int | None:
    """Return the size of a value, or None for a type that has none."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode("utf-16-le", "surrogatepass")) // 2
    if kind == "B":
        return len(base64.b64decode(content))
    return len(content) if kind in ("L", "M", "SS", "NS", "BS") else None


Values = list[AttributeValue | None]


def _equal(values: Values) -> bool:
    return values[0] is not None and values[0] == values[1]


def _ordered(values: Values, holds: Callable[[bytes, bytes], bool]) -> bool:
    left, right = values
    if left is None or right is None:
        return False
    kind = next(iter(left))
    return kind in ("S", "N", "B") and kind in right and holds(encode(left), encode(right))


def _at_most(left: AttributeValue | None, right: AttributeValue | None) -> bool:
    return _ordered([left, right], bytes.__le__)


def _begins_with(values: Values) -> bool:
    value, prefix = values
    if value is None or prefix is None:
        return False
    if "S" in value and "S" in prefix:
        return bool(value["S"].startswith(prefix["S"]))
    return "B" in value and "B" in prefix and base64.b64decode(value["B"]).startswith(base64.b64decode(prefix["B"]))


def _contains(values: Values) -> bool:
    value, part = values
    if value is None or part is None:
        return False
    ((kind, content),) = value.items()
    if kind == "L":
        return part in content
    ((part_kind, wanted),) = part.items()
    if kind in _ELEMENTS:
        return part_kind == _ELEMENTS[kind] and wanted in content
    if kind == "S":
        return part_kind == "S" and wanted in content
    return kind == part_kind == "B" and base64.b64decode(wanted) in base64.b64decode(content)


def _has_type(values: Values) -> bool:
    value, kind = values
    return value is not None and kind is not None and kind.get("S") in value


_CONDITIONS: dict[str, Callable[[Values], bool]] = {
    "=": _equal,
    "<>": lambda values: not _equal(values),
    "<": lambda values: _ordered(values, bytes.__lt__),
    "<=": lambda values: _ordered(values, bytes.__le__),
    ">": lambda values: _ordered(values, bytes.__gt__),
    ">=": lambda values: _ordered(values, bytes.__ge__),
    "BETWEEN": lambda values: _at_most(values[1], values[0]) and _at_most(values[0], values[2]),
    "IN": lambda values: values[0] is not None and values[0] in values[1:],
    "attribute_exists": lambda values: values[0] is not None,
    "attribute_not_exists": lambda values: values[0] is None,
    "attribute_type": _has_type,
    "begins_with": _begins_with,
    "contains": _contains,
}

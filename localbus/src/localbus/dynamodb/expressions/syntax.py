"""The parts of an expression, before and after its names and values are known, and the errors of expressions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]


class ExpressionError(Exception):
    """A fault of an expression. The message is AWS's, without the parameter's name."""


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: attribute names and list indexes. Before binding, a name may be a `#reference`."""

    steps: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"[{', '.join(f'[{step}]' if isinstance(step, int) else step for step in self.steps)}]"


@dataclass(frozen=True, slots=True)
class Reference:
    """A `:reference` to a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, checked and in normal form."""

    value: AttributeValue


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function with its operands. AND and OR have two or more."""

    name: str
    operands: tuple[Node, ...]


Node = Path | Reference | Literal | Call

COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
LOGICAL = ("AND", "OR", "NOT")
CONDITIONS = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
"""Functions that are a condition, with their number of operands."""
VALUES = {"size": 1, "if_not_exists": 2, "list_append": 2}
"""Functions that have a value."""


def is_operand(node: Node) -> bool:
    """Return whether a node can be compared by the grammar: a path, a value or a function."""
    return not isinstance(node, Call) or node.name not in (*COMPARATORS, *LOGICAL, "BETWEEN", "IN")


def check_overlap(paths: Iterable[Path]) -> None:
    """Raise ExpressionError if one path is in another, or if two use one document as a list and as a map."""
    seen: list[Path] = []
    for path in paths:
        for other in seen:
            problem = _overlap(other.steps, path.steps)
            if problem:
                raise ExpressionError(
                    f"Two document paths {problem} with each other; must remove or rewrite one of these paths; "
                    f"path one: {other}, path two: {path}"
                )
        seen.append(path)


def _overlap(one: tuple[str | int, ...], two: tuple[str | int, ...]) -> str:
    for left, right in zip(one, two, strict=False):
        if left != right:
            return "" if type(left) is type(right) else "conflict"
    return "overlap"

"""The words of a parsed expression: names of functions and attributes, and list indexes."""

from __future__ import annotations

from localbus.dynamodb.expressions.reserved_words import RESERVED_WORDS
from localbus.dynamodb.expressions.syntax import CONDITIONS, LOGICAL, VALUES, Call, ExpressionError, Node, Path

_MAX_INDEX = 2**31 - 1


def count_operators(node: Node) -> int:
    """Count operators and functions."""
    count, waiting = 0, [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Call):
            count += len(one.operands) - 1 if one.name in ("AND", "OR") else 1
            waiting.extend(one.operands)
    return count


def check_words(node: Node, kind: str, *, names: bool = True, inside: str = "") -> None:
    """Check functions, list indexes and (unless PartiQL has them quoted) names. `inside` is the operator around."""
    if isinstance(node, Path):
        for step in node.steps:
            if isinstance(step, int):
                if step > _MAX_INDEX:
                    raise ExpressionError(f"List index is not within the allowable range; index: [{step}]")
            elif names and step.upper() in RESERVED_WORDS:
                raise ExpressionError(f"Attribute name is a reserved keyword; reserved keyword: {step}")
    elif isinstance(node, Call):
        if node.name in CONDITIONS or node.name in VALUES:
            _check_function(node.name, kind, inside)
        elif node.name[0].isalpha() and node.name not in ("IN", "BETWEEN", *LOGICAL):
            raise ExpressionError(f"Invalid function name; function: {node.name}")
        for operand in node.operands:
            check_words(operand, kind, names=names, inside=node.name)


def _check_function(name: str, kind: str, inside: str) -> None:
    if (name in ("if_not_exists", "list_append")) != (kind == "update"):
        article = "a" if kind == "condition" else "an"
        raise ExpressionError(f"The function is not allowed in {article} {kind} expression; function: {name}")
    conditional = inside in ("", *LOGICAL)
    misused = conditional != (name in CONDITIONS) if kind == "condition" else inside and name == "list_append"
    if misused:
        raise ExpressionError(f"The function is not allowed to be used this way in an expression; function: {name}")

"""Binding: a parsed expression gets the names and values of its request, and the types of its operands are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from localbus.dynamodb.expressions.syntax import (
    COMPARATORS,
    CONDITIONS,
    LOGICAL,
    VALUES,
    AttributeValue,
    Call,
    ExpressionError,
    Literal,
    Node,
    Path,
)
from localbus.dynamodb.key_codec import encode

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
MAX_IN_OPERANDS = 100
MAX_DEPTH = 32
_SCALARS = ("S", "N", "B")
_ALLOWED: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("<", "<=", ">", ">=", "BETWEEN"), _SCALARS),
    **dict.fromkeys(("+", "-"), ("N",)),
    "begins_with": ("S", "B"),
    "size": ("S", "B", "SS", "NS", "BS", "L", "M"),
    "list_append": ("L",),
}
"""Types of the operands, for operators and functions that do not take all."""
_TYPES = ("N", "BS", "L", "B", "NULL", "M", "S", "SS", "NS", "BOOL")
# The text is AWS's, with types that only its own code has.
_ANY_TYPE = "{HDS,M,BOOL,SS,INT,NULL,BS,DOUBLESET,DECIMALSET,B,INTSET,NS,HD,FS,DECIMAL,S,DOUBLE,L,DICT,N,FLOAT}"


class Scope:
    """The names and values of a request, and those that its expressions have used."""

    def __init__(self, names: Mapping[str, str], values: Mapping[str, AttributeValue]) -> None:
        self.names = names
        self.values = values
        self.used: set[str] = set()

    def unused(self, given: Mapping[str, object]) -> list[str]:
        """Return those names or values that no expression has used."""
        return [key for key in given if key not in self.used]

    def path(self, path: Path) -> Path:
        """Return a path without references. Raises ExpressionError."""
        if len(path.steps) > MAX_DEPTH:
            raise ExpressionError(f"The document path has too many nesting levels; nesting levels: {len(path.steps)}")
        return Path(tuple(self._name(step) if isinstance(step, str) else step for step in path.steps))

    def _name(self, step: str) -> str:
        if step[0] != "#":
            return step
        if step not in self.names:
            raise ExpressionError(
                f"An expression attribute name used in the document path is not defined; attribute name: {step}"
            )
        self.used.add(step)
        return self.names[step]

    def bind(self, node: Node) -> Node:
        """Return a node without references, checked as far as its values are known. Raises ExpressionError."""
        if isinstance(node, Path):
            return self.path(node)
        if isinstance(node, Literal):
            return node
        if not isinstance(node, Call):
            if node.name not in self.values:
                raise ExpressionError(
                    f"An expression attribute value used in expression is not defined; attribute value: {node.name}"
                )
            self.used.add(node.name)
            return Literal(self.values[node.name])
        bound = Call(node.name, tuple([self.bind(operand) for operand in node.operands]))
        if node.name not in LOGICAL:
            check_operands(bound)
        return bound


def check_operands(call: Call) -> None:
    """Check the number and the types of an operator's or a function's operands."""
    name, operands = call.name, call.operands
    expected = CONDITIONS.get(name) or VALUES.get(name)
    if expected and len(operands) != expected:
        raise ExpressionError(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {name}, number of operands: {len(operands)}"
        )
    if name == "IN" and len(operands) > MAX_IN_OPERANDS + 1:
        raise ExpressionError(
            f"The IN operator is provided with too many operands; number of operands: {len(operands) - 1}"
        )
    if name in ("attribute_exists", "attribute_not_exists", "if_not_exists") and not isinstance(operands[0], Path):
        raise ExpressionError(f"Operator or function requires a document path; operator or function: {name}")
    if name in _ALLOWED:
        for operand in operands:
            known = "N" if isinstance(operand, Call) and operand.name == "size" else _type(operand)
            if known and known not in _ALLOWED[name]:
                raise _incorrect_type(name, known)
    first = operands[0]
    if isinstance(first, Path) and (name in COMPARATORS or name in _DISTINCT) and first in operands[1:]:
        raise ExpressionError(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {name}, first operand: {first}"
        )
    if name == "attribute_type":
        _check_attribute_type(operands[1])
    elif name == "BETWEEN":
        _check_bounds(operands[1], operands[2])


_DISTINCT = ("BETWEEN", "IN", "begins_with", "contains", "attribute_type", "if_not_exists")


def _type(node: Node) -> str:
    """Return the type of a value in the request."""
    return next(iter(node.value)) if isinstance(node, Literal) else ""


def _incorrect_type(name: str, found: str) -> ExpressionError:
    return ExpressionError(
        f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {found}"
    )


def _check_attribute_type(operand: Node) -> None:
    if not isinstance(operand, Literal):
        raise _incorrect_type("attribute_type", "N" if isinstance(operand, Call) else _ANY_TYPE)
    found = _type(operand)
    if found != "S":
        raise _incorrect_type("attribute_type", found)
    if operand.value["S"] not in _TYPES:
        raise ExpressionError(
            f"Invalid attribute type name found; type: {operand.value['S']}, valid types: {{{','.join(_TYPES)}}}"
        )


def _check_bounds(low: Node, high: Node) -> None:
    if not isinstance(low, Literal) or not isinstance(high, Literal):
        return
    if _type(low) != _type(high):
        problem = "same data type for lower and upper bounds"
    elif encode(low.value) > encode(high.value):
        problem = "upper bound to be greater than or equal to lower bound"
    else:
        return
    raise ExpressionError(
        f"The BETWEEN operator requires {problem}; "
        f"lower bound operand: {_shown(low)}, upper bound operand: {_shown(high)}"
    )


def _shown(literal: Literal) -> str:
    ((kind, content),) = literal.value.items()
    return f"AttributeValue: {{{kind}:{content}}}"

"""A key condition: one partition, and a range of its sort keys.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.syntax import COMPARATORS, AttributeValue, Call, Literal, Node, Path

_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = (*_FLIPPED, "BETWEEN", "begins_with")


@dataclass(frozen=True)
class KeyCondition:
    """The value of the partition key, and a condition on the sort key: an operator with its values, or none."""

    partition: AttributeValue
    operator: str = ""
    values: tuple[AttributeValue, ...] = ()


Conditions = Mapping[str, tuple[str, tuple[AttributeValue, ...]]]
"""For each attribute an operator and its values."""
KeyTypes = Sequence[tuple[str, str]]
"""The key attributes of a table or an index with their types, the partition key first."""


def read_key_condition(node: Node, keys: KeyTypes) -> KeyCondition:
    """Return a bound condition as a key condition. Raises AwsError if it is anything else."""
    conditions: dict[str, tuple[str, tuple[AttributeValue, ...]]] = {}
    for part in _parts(node):
        name, operator, values = _read(part)
        if name in conditions:
            raise invalid("KeyConditionExpressions must only contain one condition per key")
        conditions[name] = (operator, values)
    if len(conditions) > 2:
        raise invalid("Conditions can be of length 1 or 2 only")
    return key_condition(conditions, keys)


def key_condition(conditions: Conditions, keys: KeyTypes) -> KeyCondition:
    """Return conditions by attribute as a key condition. Raises AwsError."""
    names = [name for name, _ in keys]
    for name in names[: len(conditions)]:
        if name not in conditions:
            raise invalid(f"Query condition missed key schema element: {name}")
    if len(conditions) > len(keys):
        raise invalid("Query key condition not supported")
    operator, (partition, *_) = conditions[names[0]]
    if operator != "=":
        raise invalid("Query key condition not supported")
    for name, kind in keys[: len(conditions)]:
        for value in conditions[name][1]:
            _check_value(name, value, kind)
    range_operator, values = conditions[names[1]] if len(conditions) > 1 else ("", ())
    return KeyCondition(partition, range_operator, values)


def _check_value(key: str, value: AttributeValue, kind: str) -> None:
    if kind not in value:
        raise invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
    if not value[kind]:
        what = "string" if kind == "S" else "binary"
        raise invalid(
            "One or more parameter values are not valid. "
            f"The AttributeValue for a key attribute cannot contain an empty {what} value. Key: {key}"
        )


def _parts(node: Node) -> list[Call]:
    if not isinstance(node, Call):
        raise TypeError(f"a condition is an operator or a function, not {node}")
    if node.name == "AND":
        return [part for operand in node.operands for part in _parts(operand)]
    if node.name not in _OPERATORS:
        raise invalid(f"Invalid operator used in KeyConditionExpression: {node.name}")
    return [node]


def _read(part: Call) -> tuple[str, str, tuple[AttributeValue, ...]]:
    operator, operands = part.name, part.operands
    if any(isinstance(operand, Call) for operand in operands):
        raise invalid("KeyConditionExpressions cannot contain nested operations")
    paths = [operand for operand in operands if isinstance(operand, Path)]
    if len(paths) > 1:
        raise invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    if not paths:
        raise invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
    if operands[0] is not paths[0]:
        if operator not in COMPARATORS:
            raise invalid(
                f"Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its "
                "first operand"
            )
        operator = _FLIPPED[operator]
    if len(paths[0].steps) > 1:
        raise invalid("KeyConditionExpressions cannot have conditions on nested attributes")
    values = tuple(operand.value for operand in operands if isinstance(operand, Literal))
    return str(paths[0].steps[0]), operator, values

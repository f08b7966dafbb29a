"""The parameters of requests from before expressions, as the same conditions, updates and projections.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localbus.dynamodb.attribute_value import check_value
from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.key_condition import KeyCondition, KeyTypes, key_condition
from localbus.dynamodb.expressions.parser import Action
from localbus.dynamodb.expressions.projection import Projection
from localbus.dynamodb.expressions.syntax import AttributeValue, Call, Literal, Node, Path
from localbus.dynamodb.expressions.update import Update

_OPERATORS = {
    "EQ": ("=", 1),
    "NE": ("<>", 1),
    "LT": ("<", 1),
    "LE": ("<=", 1),
    "GT": (">", 1),
    "GE": (">=", 1),
    "BETWEEN": ("BETWEEN", 2),
    "IN": ("IN", -1),
    "BEGINS_WITH": ("begins_with", 1),
    "CONTAINS": ("contains", 1),
    "NOT_CONTAINS": ("contains", 1),
    "NOT_NULL": ("attribute_exists", 0),
    "NULL": ("attribute_not_exists", 0),
}
"""Comparison operators as those of expressions, with their number of values."""
_KEY_OPERATORS = ("EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH")


def condition(given: Mapping[str, Any], operator: str) -> Condition | None:
    """Return Expected, QueryFilter or ScanFilter as a condition; `operator` joins its parts."""
    parts = [_part(name, one) for name, one in given.items()]
    if not parts:
        return None
    return Condition(parts[0] if len(parts) == 1 else Call(operator, tuple(parts)))


def key_conditions(given: Mapping[str, Any], keys: KeyTypes) -> KeyCondition:
    """Return KeyConditions as a key condition."""
    if len(given) > 2:
        raise invalid("Conditions can be of length 1 or 2 only")
    conditions = {}
    for name, one in given.items():
        operator, values = _comparison(one)
        if one["ComparisonOperator"] not in _KEY_OPERATORS:
            raise invalid("Attempted conditional constraint is not an indexable operation")
        conditions[name] = (operator, values)
    return key_condition(conditions, keys)


def projection(names: list[str]) -> Projection:
    """Return AttributesToGet as a projection."""
    if not all(names):
        raise invalid("Empty attribute name")
    if len(set(names)) < len(names):
        raise invalid("Cannot have two attributes with the same name")
    return Projection(Path((name,)) for name in names)


def update(given: Mapping[str, Any]) -> Update:
    """Return AttributeUpdates as an update."""
    return Update([_action(name, one) for name, one in given.items()])


def _action(name: str, given: Mapping[str, Any]) -> Action:
    section, value = given.get("Action", "PUT"), given.get("Value")
    if section not in ("PUT", "ADD", "DELETE"):
        raise invalid(
            f"1 validation error detected: Value '{section}' at 'attributeUpdates.{name}.member.action' failed to "
            "satisfy constraint: Member must satisfy enum value set: [ADD, PUT, DELETE]"
        )
    path = Path((name,))
    if value is None:
        if section != "DELETE":
            raise invalid_parameter(f"Only DELETE action is allowed when no attribute value is specified: {name}")
        return Action("REMOVE", path, None)
    check_value(value)
    kind = next(iter(value))
    if section == "DELETE" and kind not in ("SS", "NS", "BS"):
        raise invalid_parameter(f"DELETE action with value is not supported for the type {kind}")
    if section == "ADD" and kind not in ("SS", "NS", "BS", "N", "L"):
        raise invalid_parameter(f"ADD action is not supported for the type {kind}")
    return Action("SET" if section == "PUT" else section, path, Literal(value))


def _part(name: str, given: Mapping[str, Any]) -> Node:
    path = Path((name,))
    if "ComparisonOperator" in given:
        if "Exists" in given:
            raise invalid_parameter(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        operator, values = _comparison(given)
        call = Call(operator, (path, *map(Literal, values)))
        return Call("NOT", (call,)) if given["ComparisonOperator"] == "NOT_CONTAINS" else call
    value: Any = given.get("Value")
    exists = given.get("Exists", True)
    if exists and value is None:
        raise invalid_parameter(
            f"Value must be provided when Exists is {'null' if 'Exists' not in given else 'true'} for Attribute: {name}"
        )
    if not exists:
        if value is not None:
            raise invalid_parameter(f"Value cannot be used when Exists is false for Attribute: {name}")
        return Call("attribute_not_exists", (path,))
    check_value(value)
    return Call("=", (path, Literal(value)))


def _comparison(given: Mapping[str, Any]) -> tuple[str, tuple[AttributeValue, ...]]:
    """Return the operator of an expression, and the checked values."""
    name = given["ComparisonOperator"]
    values = list(given.get("AttributeValueList") or ([given["Value"]] if "Value" in given else []))
    if name not in _OPERATORS:
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'comparisonOperator' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(sorted(_OPERATORS))}]"
        )
    operator, count = _OPERATORS[name]
    for value in values:
        check_value(value)
    if len(values) != count and (count >= 0 or not values):
        raise invalid_parameter(f"Invalid number of argument(s) for the {name} ComparisonOperator")
    return operator, tuple(values)

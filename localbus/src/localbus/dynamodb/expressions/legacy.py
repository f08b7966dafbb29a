"""The parameters of requests from before expressions, as the same conditions, updates and projections.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localbus.dynamodb.attribute_value import KINDS, check_value, kind_of
from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.key_condition import KeyCondition, KeyTypes, key_condition
from localbus.dynamodb.expressions.parser import Action
from localbus.dynamodb.expressions.projection import Projection
from localbus.dynamodb.expressions.syntax import AttributeValue, Call, Item, Literal, Node, Path
from localbus.dynamodb.expressions.update import TYPE_NAMES, WRONG_TYPE, Update
from localbus.dynamodb.key_codec import encode
from localbus.errors import AwsError

_SCALARS = ("S", "N", "B")
_SINGLE = (*_SCALARS, "BOOL", "NULL")
_OPERATORS = {
    "EQ": ("=", 1, KINDS),
    "NE": ("<>", 1, KINDS),
    "LT": ("<", 1, _SCALARS),
    "LE": ("<=", 1, _SCALARS),
    "GT": (">", 1, _SCALARS),
    "GE": (">=", 1, _SCALARS),
    "BETWEEN": ("BETWEEN", 2, _SCALARS),
    "IN": ("IN", -1, _SCALARS),
    "BEGINS_WITH": ("begins_with", 1, ("S", "B")),
    "CONTAINS": ("contains", 1, _SINGLE),
    "NOT_CONTAINS": ("contains", 1, _SINGLE),
    "NOT_NULL": ("attribute_exists", 0, ()),
    "NULL": ("attribute_not_exists", 0, ()),
}
"""Comparison operators as those of expressions, with the number and the types of their values."""
_KEY_OPERATORS = ("EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH")


def condition(given: Mapping[str, Any], operator: str) -> Condition | None:
    """Return Expected, QueryFilter or ScanFilter as a condition; `operator` joins its parts."""
    parts = [_part(name, one) for name, one in given.items()]
    if not parts:
        return None
    if not all(given):
        raise invalid("Empty attribute name")
    return Condition(parts[0] if len(parts) == 1 else Call(operator, tuple(parts)))


def key_conditions(given: Mapping[str, Any], keys: KeyTypes) -> KeyCondition:
    """Return KeyConditions as a key condition."""
    if len(given) > 2:
        raise invalid("Conditions can be of length 1 or 2 only")
    conditions = {}
    for name, one in given.items():
        operator, values = _comparison(name, one)
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
    return _AttributeUpdates([_action(name, one) for name, one in given.items()])


class _AttributeUpdates(Update):
    def apply(self, item: Item) -> Item:
        """Return the changed item. Raises AwsError if a type does not fit the item."""
        try:
            return super().apply(item)
        except AwsError as exc:
            raise invalid("Type mismatch for attribute to update") if exc.message == WRONG_TYPE else exc from exc


def _action(name: str, given: Mapping[str, Any]) -> Action:
    section, value = given.get("Action", "PUT"), given.get("Value")
    if not name:
        raise invalid("Empty attribute name")
    path = Path((name,))
    if value is None:
        if section != "DELETE":
            raise invalid_parameter("Only DELETE action is allowed when no attribute value is specified")
        return Action("REMOVE", path, None)
    check_value(value)
    kind = kind_of(value)
    if section == "DELETE" and kind not in ("SS", "NS", "BS"):
        raise invalid_parameter(f"DELETE action with value is not supported for the type {TYPE_NAMES[kind]}")
    if section == "ADD" and kind not in ("SS", "NS", "BS", "N", "L"):
        raise invalid_parameter(f"ADD action is not supported for the type {TYPE_NAMES[kind]}")
    return Action("SET" if section == "PUT" else section, path, Literal(value))


def _part(name: str, given: Mapping[str, Any]) -> Node:
    path = Path((name,))
    if "ComparisonOperator" in given:
        if "Exists" in given:
            raise invalid_parameter(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        operator, values = _comparison(name, given)
        call = Call(operator, (path, *map(Literal, values)))
        if given["ComparisonOperator"] == "NOT_CONTAINS":
            return Call("AND", (Call("attribute_exists", (path,)), Call("NOT", (call,))))
        return call
    if "AttributeValueList" in given:
        raise invalid_parameter(f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    value: Any = given.get("Value")
    exists = given.get("Exists", True)
    if exists and value is None:
        shown = "true" if "Exists" in given else "null"
        raise invalid_parameter(f"Value must be provided when Exists is {shown} for Attribute: {name}")
    if not exists:
        if value is not None:
            raise invalid_parameter(f"Value cannot be used when Exists is false for Attribute: {name}")
        return Call("attribute_not_exists", (path,))
    check_value(value)
    return Call("=", (path, Literal(value)))


def _comparison(attribute: str, given: Mapping[str, Any]) -> tuple[str, tuple[AttributeValue, ...]]:
    """Return the operator of an expression, and the checked values."""
    name, values = given["ComparisonOperator"], given.get("AttributeValueList")
    if "Value" in given:
        if values is not None:
            raise invalid_parameter(f"Value and AttributeValueList cannot be used together for Attribute: {attribute}")
        values = [given["Value"]]
    operator, count, kinds = _OPERATORS[name]
    if values is None and count:
        raise invalid_parameter(
            f"Value or AttributeValueList must be used with ComparisonOperator: {name} for Attribute: {attribute}"
        )
    values = values or []
    for value in values:
        check_value(value)
    if len(values) != count and (count >= 0 or not values):
        raise invalid_parameter(f"Invalid number of argument(s) for the {name} ComparisonOperator")
    found = list(map(kind_of, values))
    if len(set(found)) > 1:
        raise invalid_parameter("AttributeValues inside AttributeValueList must be of same type")
    if found and found[0] not in kinds:
        raise invalid_parameter(f"ComparisonOperator {name} is not valid for {found[0]} AttributeValue type")
    if name == "BETWEEN" and encode(values[0]) > encode(values[1]):
        raise invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )
    return operator, tuple(values)

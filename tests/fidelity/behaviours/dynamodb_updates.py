"""Updates: what they change, what they return, and what is refused in AWS's words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import dynamodb_api, dynamodb_guide
from fidelity.tables import Table, plain, table

GROUP = Group("DynamoDB", "Updates")
behaviour = GROUP.behaviour
_GUIDE = dynamodb_guide("Expressions.UpdateExpressions")
_API = dynamodb_api("UpdateItem")
_ITEM: dict[str, Any] = {"n": 5, "t": "x", "l": [1, 2], "m": {"a": 1, "b": 2}, "e": {"a", "b"}}


def _filled(aws: Aws) -> Table:
    created = table(aws)
    created.put(p="a", **_ITEM)
    return created


def _row(name: str, statement: str, expression: str, changed: dict[str, Any], **given: Any) -> None:
    """Add a row: an update changes the item. Attributes that are None are removed."""

    def check(aws: Aws) -> None:
        filled = _filled(aws)
        filled.update(expression, **given)
        expected = {name: value for name, value in (_ITEM | changed).items() if value is not None}
        same("makes it", filled.get("a"), {"p": "a"} | expected)

    GROUP.add(name, statement, _GUIDE, check)


_row("reads_before", "An update reads the item as it was before", "SET n = t, t = n", {"n": "x", "t": 5})
_row("arithmetic", "SET adds and subtracts numbers", "SET n = n + :v, o = n - :v", {"n": 6, "o": 4}, v=1)
_row(
    "default_value",
    "if_not_exists is the attribute, or a default",
    "SET n = if_not_exists(n, :v), o = if_not_exists(o, :v)",
    {"o": 1},
    v=1,
)
_row("grows_a_list", "list_append joins two lists", "SET l = list_append(:v, l)", {"l": [0, 1, 2]}, v=[0])
_row("after_the_end", "An element after the end of a list becomes its last", "SET l[9] = :v", {"l": [1, 2, 3]}, v=3)
_row("removes_elements", "The elements after a removed one move up", "REMOVE l[0], m.a", {"l": [2], "m": {"b": 2}})
_row("adds_to_a_number", "ADD adds to a number, or sets it", "ADD n :v, o :v", {"n": 6, "o": 1}, v=1)
_row(
    "adds_to_a_set",
    "ADD joins sets, and DELETE takes elements away",
    "ADD e :v DELETE f :v",
    {"e": {"a", "b", "c"}},
    v={"c"},
)
_row("empties_a_set", "A set that loses its last element is removed", "DELETE e :v", {"e": None}, v={"a", "b"})


def _says(name: str, statement: str, expression: str, says: str, source: Any = _GUIDE, **given: Any) -> None:
    """Add a row: an update is refused with a text."""

    def check(aws: Aws) -> None:
        filled = _filled(aws)
        refused("ValidationException", filled.update, says=says, expression=expression, **given)

    GROUP.add(name, statement, source, check)


_WRONG = "An operand in the update expression has an incorrect data type"
_ABSENT = "The provided expression refers to an attribute that does not exist in the item"
_says(
    "key_attribute",
    "A key cannot be changed",
    "SET p = :v",
    "Cannot update attribute p. This attribute is part of the key",
    v="b",
)
_says(
    "section_twice",
    "Each section is used once",
    "SET n = :v SET o = :v",
    'The "SET" section can only be used once',
    v=1,
)
_says("same_path_twice", "Paths must not overlap", "SET m.a = :v REMOVE m", "path one: [m, a], path two: [m]", v=1)
_says(
    "list_and_map",
    "A path is not of a list and of a map",
    "SET m.a = :v, m[0] = :v",
    "paths conflict with each other",
    v=1,
)
_says(
    "missing_map",
    "A path must lead to the item's maps and lists",
    "SET zz.a = :v",
    "document path provided in the update expression is invalid for update",
    v=1,
)
_says("missing_attribute", "A value must exist", "SET o = zz", _ABSENT)
_says("sum_of_text", "Only numbers are added", "SET o = t + :v", _WRONG, v=1)
_says("add_to_text", "ADD is for numbers and sets", "ADD t :v", _WRONG, v=1)
_says("text_as_operand", "ADD takes a number or a set", "ADD n :v", "operator: ADD, operand type: STRING", v="x")
_says("other_set", "DELETE takes a set of the same type", "DELETE e :v", _WRONG, v={1})
_says("three_summands", "A sum has two operands", "SET n = n + :v + :v", 'Syntax error; token: "+"', v=1)
_says(
    "condition_function",
    "size is a function of conditions, not of updates",
    "SET n = size(l)",
    "not allowed in an update expression; function: size",
)
_says("overflow", "A sum must not be too large", "SET n = :v + :v", "", v=Decimal("9E125"))


@behaviour(_API)
def creates_an_item(aws: Aws) -> None:
    """An update creates an item that does not exist."""
    created = table(aws)
    created.update("SET n = :v", v=1)
    same("makes", created.get("a"), {"p": "a", "n": 1})


def _returned(aws: Aws, wanted: str) -> Any:
    answer = _filled(aws).update("SET n = :v, o = :v REMOVE t", ReturnValues=wanted, v=7)
    return plain(answer.get("Attributes", {}))


@behaviour(_API)
def returns_whole_items(aws: Aws) -> None:
    """ALL_OLD is the item before the update, and ALL_NEW the item after it."""
    same("returns", _returned(aws, "ALL_OLD"), {"p": "a"} | _ITEM)
    rest = {name: value for name, value in _ITEM.items() if name != "t"}
    same("returns", _returned(aws, "ALL_NEW"), {"p": "a"} | rest | {"n": 7, "o": 7})


@behaviour(_API)
def returns_what_changed(aws: Aws) -> None:
    """UPDATED_OLD and UPDATED_NEW have the attributes that the update names."""
    same("returns", _returned(aws, "UPDATED_OLD"), {"n": 5, "t": "x"})
    same("returns", _returned(aws, "UPDATED_NEW"), {"n": 7, "o": 7})


@behaviour(_API)
def returns_nested_parts(aws: Aws) -> None:
    """Of a nested attribute, UPDATED_NEW has only the part that the update names."""
    answer = _filled(aws).update("SET m.a = :v", ReturnValues="UPDATED_NEW", v=7)
    same("returns", plain(answer["Attributes"]), {"m": {"a": 7}})


@behaviour(dynamodb_guide("LegacyConditionalParameters.AttributeUpdates"))
def older_updates(aws: Aws) -> None:
    """The updates from before expressions still work."""
    filled = _filled(aws)
    updates = {"n": {"Action": "ADD", "Value": {"N": "1"}}, "t": {"Action": "DELETE"}, "o": {"Value": {"S": "y"}}}
    filled.client.update_item(TableName=filled.name, Key=filled.key("a"), AttributeUpdates=updates)
    found = filled.get("a") or {}
    same("makes it", [found.get(name) for name in ("n", "t", "o")], [6, None, "y"])

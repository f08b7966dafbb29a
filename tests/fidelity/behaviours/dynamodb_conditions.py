"""Conditions, filters and projections: what holds, and what is refused in AWS's words."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import dynamodb_api, dynamodb_guide
from fidelity.tables import Table, item, plain, table, values

GROUP = Group("DynamoDB", "Conditions and projections")
behaviour = GROUP.behaviour
_OPERATORS = dynamodb_guide("Expressions.OperatorsAndFunctions")
_ITEM: dict[str, Any] = {
    "n": 5,
    "t": "hé",
    "b": b"xyz",
    "l": [1, "x"],
    "m": {"a": 1, "b": {"c": "d"}},
    "e": {"a", "b"},
    "k": None,
}


def _filled(aws: Aws) -> Table:
    created = table(aws)
    created.put(p="a", **_ITEM)
    return created


def _row(name: str, statement: str, source: Any, *conditions: str, false: tuple[str, ...] = (), **given: Any) -> None:
    """Add a row: conditions that hold for the item, and such that do not."""

    def check(aws: Aws) -> None:
        filled = _filled(aws)
        for condition in (*conditions, *false):
            used = {key: value for key, value in given.items() if f":{key}" in condition}
            same(f"finds {condition}", filled.holds(condition, **used), condition in conditions)

    GROUP.add(name, statement, source, check)


_row("numbers_by_value", "Numbers compare by value", _OPERATORS, "n < :v", "n <> :w", v=10, w="5")
_row(
    "other_types",
    "Values of other types are neither equal nor ordered",
    _OPERATORS,
    "n <> :v",
    false=("n < :v",),
    v="9",
)
_row(
    "absent_attributes",
    "An attribute that is not there is unequal to all, even to another such",
    _OPERATORS,
    "zz <> yy",
    "zz <> :v",
    false=("zz = yy", "zz < :v"),
    v=1,
)
_row("between", "BETWEEN includes both bounds", _OPERATORS, "n BETWEEN :v AND :w", v=5, w=5)
_row("in_operator", "IN finds one of its operands", _OPERATORS, "n IN (:v, :w)", false=("n IN (:v, t)",), v=1, w=5)
_row("precedence", "NOT binds before AND, AND before OR", _OPERATORS, "n = :v OR n = :w AND NOT t = :v", v=5, w=1)
_row(
    "sizes",
    "size counts elements, and the characters of a text",
    _OPERATORS,
    "size(l) = :v",
    "size(t) = :v",
    false=("size(n) = :v",),
    v=2,
)
_row("contains_a_part", "contains finds a part of a text", _OPERATORS, "contains(t, :v)", v="h")
_row("contains_an_element", "contains finds an element", _OPERATORS, "contains(e, :v)", "contains(l, :w)", v="a", w=1)
_row(
    "begins",
    "begins_with takes texts and blobs",
    _OPERATORS,
    "begins_with(t, :v)",
    "begins_with(b, :w)",
    v="h",
    w=b"xy",
)
_row("types_of_attributes", "attribute_type finds a type", _OPERATORS, "attribute_type(k, :v)", v="NULL")
_row(
    "paths",
    "Paths lead into maps and lists",
    dynamodb_guide("Expressions.Attributes"),
    "m.b.c = :v",
    "l[1] = :w",
    false=("l[2] = :w", "t.x = :v"),
    v="d",
    w="x",
)


def _says(name: str, statement: str, condition: str, says: str, source: Any = _OPERATORS, **given: Any) -> None:
    """Add a row: a filter is refused with a text."""

    def check(aws: Aws) -> None:
        filled = _filled(aws)
        refused("ValidationException", filled.holds, says=says, condition=condition, **given)

    GROUP.add(name, statement, source, check)


_NAMES = dynamodb_guide("Expressions.ExpressionAttributeNames")
_VALUES = dynamodb_guide("Expressions.ExpressionAttributeValues")
_LIMITS = dynamodb_guide("Constraints")
_says("syntax_error", "A syntax error quotes its token", "n = = :v", 'Syntax error; token: "=", near: "= = :v"', v=1)
_says(
    "reserved_word",
    "A reserved word is not a valid name",
    "status = :v",
    "Attribute name is a reserved keyword; reserved keyword: status",
    dynamodb_guide("ReservedWords"),
    v=1,
)
_says("no_value", "Each value must be given", "n = :w", "not defined; attribute value: :w", _VALUES, v=1)
_says("unused_value", "Each value must be used", "n = :v", "unused in expressions: keys: {:w}", _VALUES, v=1, w=2)
_says("no_name", "Each name must be given", "#n = :v", "not defined; attribute name: #n", _NAMES, v=1)
_says("double_parentheses", "Parentheses around parentheses are refused", "((n = :v))", "redundant parentheses", v=1)
_says("compared_with_itself", "An attribute is not compared with itself", "n = n", "first operand must be distinct")
_says("unknown_function", "A function must exist", "starts(n)", "Invalid function name; function: starts")
_says(
    "value_as_condition",
    "size is a value, not a condition",
    "size(l)",
    "not allowed to be used this way in an expression",
)
_says("two_operands", "A function has its number of operands", "size(l, m) = :v", "number of operands: 2", v=1)
_says("existing_value", "attribute_exists takes a path", "attribute_exists(:v)", "requires a document path", v=1)
_says("order_of_lists", "Lists have no order", "n < :v", "operator or function: <, operand type: L", v=[1])
_says("begins_with_number", "begins_with takes no numbers", "begins_with(t, :v)", "begins_with, operand type: N", v=1)
_says("unknown_type", "attribute_type takes the name of a type", "attribute_type(n, :v)", "type: X, valid types", v="X")
_says(
    "turned_bounds",
    "BETWEEN has its lower bound first",
    "n BETWEEN :v AND :w",
    "requires upper bound to be greater than or equal to lower bound",
    v=2,
    w=1,
)
_says("long_in", "IN has at most 100 operands", f"n IN ({', '.join(['t'] * 101)})", "operands: 101", _LIMITS)
_says(
    "many_operators",
    "A condition has at most 300 operators",
    " OR ".join(["n=:v"] * 151),
    "too many operators; operator count: 301",
    _LIMITS,
    v=1,
)
_says("long_expression", "An expression has at most 4 KB", "n = :v" + " " * 4096, "maximum allowed size", _LIMITS, v=1)
_says("deep_path", "A path has at most 32 levels", f"n{'.n' * 32} = :v", "nesting levels: 33", _LIMITS, v=1)


def _delete(filled: Table, **given: Any) -> Any:
    return filled.client.delete_item(TableName=filled.name, Key=filled.key("a"), **given)


@behaviour(dynamodb_api("DeleteItem", recorded=True))
def condition_fails(aws: Aws) -> None:
    """A write whose condition does not hold changes nothing, and shows the item if it is asked to."""
    filled = _filled(aws)
    given = {"ConditionExpression": "n = :v", "ExpressionAttributeValues": values({"v": 1})}
    failed = filled.client.exceptions.ConditionalCheckFailedException

    refused("ConditionalCheckFailedException", _delete, says="The conditional request failed", filled=filled, **given)
    try:
        _delete(filled, ReturnValuesOnConditionCheckFailure="ALL_OLD", **given)
    except failed as exc:
        same("shows", plain(exc.response["Item"])["n"], 5)
    holds(filled.get("a"), "deletes it")


@behaviour(dynamodb_api("DeleteItem", recorded=True))
def errors_of_validation(aws: Aws) -> None:
    """PutItem, UpdateItem and DeleteItem count the errors that they find before they look at the table."""
    refused(
        "ValidationException",
        _delete,
        says="1 validation error detected: Value provided in ExpressionAttributeNames unused in expressions: keys",
        filled=table(aws),
        ConditionExpression="attribute_not_exists(n)",
        ExpressionAttributeNames={"#c": "count"},
    )


@behaviour(dynamodb_guide("LegacyConditionalParameters"))
def older_parameters(aws: Aws) -> None:
    """The parameters from before expressions still work, but not beside expressions."""
    filled = _filled(aws)
    expected = {"n": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "5"}]}}
    mixed = {"ConditionExpression": "attribute_exists(n)", "Expected": expected}

    refused(
        "ValidationException", _delete, says="Can not use both expression and non-expression", filled=filled, **mixed
    )
    _delete(filled, Expected=expected)
    same("keeps", filled.get("a"), None)


_PROJECTIONS = dynamodb_guide("Expressions.ProjectionExpressions")


def _projected(filled: Table, projection: str) -> Any:
    answer = filled.client.get_item(TableName=filled.name, Key=filled.key("a"), ProjectionExpression=projection)
    return plain(answer["Item"])


@behaviour(_PROJECTIONS)
def projects_parts(aws: Aws) -> None:
    """A projection has the parts that exist, nested as in the item; elements of a list move up."""
    filled = _filled(aws)
    same("has", _projected(filled, "m.b.c, l[1], zz, l[7]"), {"m": {"b": {"c": "d"}}, "l": ["x"]})
    same("has", _projected(filled, "zz"), {})


@behaviour(_PROJECTIONS)
def overlapping_projection(aws: Aws) -> None:
    """A projection's paths must not overlap."""
    says = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m]"
    refused("ValidationException", _projected, says=says, filled=_filled(aws), projection="m, m.a")


@behaviour(dynamodb_api("PutItem"))
def condition_of_a_put(aws: Aws) -> None:
    """A put on the condition that the item does not exist succeeds once."""
    created = table(aws)
    given = {"TableName": created.name, "Item": item({"p": "a"}), "ConditionExpression": "attribute_not_exists(p)"}
    created.client.put_item(**given)
    refused("ConditionalCheckFailedException", created.client.put_item, **given)

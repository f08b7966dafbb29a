"""Key conditions, and the parameters from before expressions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html have the rules; the
texts are those of Amazon's DynamoDB Local 3.3, but for the name of a missed key element, which AWS adds (recorded in
moto's aws-verified tests).
"""

from __future__ import annotations

from typing import Any

import pytest
from localbus.dynamodb.expressions.key_condition import KeyCondition
from localbus.dynamodb.expressions.request import Expressions
from localbus.errors import AwsError

KEYS = (("pk", "S"), ("sk", "N"))
VALUES: dict[str, Any] = {":p": {"S": "a"}, ":s": {"N": "1"}, ":t": {"N": "3"}, ":e": {"S": ""}, ":b": {"BOOL": True}}


def key_condition(text: str) -> KeyCondition:
    """Parse a key condition with those of the values that it has."""
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
    values = {key: dict(value) for key, value in VALUES.items() if key in words}
    params: dict[str, Any] = {"KeyConditionExpression": text}
    params |= {"ExpressionAttributeValues": values} if values else {}
    return Expressions(params, "FilterExpression", "KeyConditionExpression").key_condition(KEYS)


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("pk = :p", "", ()),
        ("pk = :p AND sk = :s", "=", ({"N": "1"},)),
        ("sk < :s AND pk = :p", "<", ({"N": "1"},)),
        ("(pk = :p) AND (sk BETWEEN :s AND :t)", "BETWEEN", ({"N": "1"}, {"N": "3"})),
        (":p = pk AND :s < sk", ">", ({"N": "1"},)),
    ],
)
def test_a_key_condition(text: str, operator: str, values: tuple[Any, ...]) -> None:
    """A key condition has one partition, and at most a range of sort keys."""
    assert key_condition(text) == KeyCondition({"S": "a"}, operator, values)


NO_TYPE = "One or more parameter values were invalid: Condition parameter type does not match schema type"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
        ("pk = :p AND sk <> :s", "Invalid operator used in KeyConditionExpression: <>"),
        ("pk = :p OR sk = :s", "Invalid operator used in KeyConditionExpression: OR"),
        ("pk = :p AND NOT sk = :s", "Invalid operator used in KeyConditionExpression: NOT"),
        ("pk = :p AND sk IN (:s)", "Invalid operator used in KeyConditionExpression: IN"),
        ("pk = :p AND attribute_exists(sk)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("pk < :p", "Query key condition not supported"),
        ("begins_with(pk, :p)", "Query key condition not supported"),
        ("sk = :s", "Query condition missed key schema element: pk"),
        ("pk = :p AND n = :s", "Query condition missed key schema element: sk"),
        ("pk = :p AND pk = :p", "KeyConditionExpressions must only contain one condition per key"),
        ("pk = :p AND sk = :s AND n = :s", "Conditions can be of length 1 or 2 only"),
        (
            "pk = sk",
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        ),
        ("pk = :p AND :s = :s", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "pk = :p AND :s BETWEEN sk AND :t",
            "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first "
            "operand",
        ),
        ("pk = :p AND size(sk) = :s", "KeyConditionExpressions cannot contain nested operations"),
        ("x.y = :p AND sk = :s", "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("pk = :s", NO_TYPE),
        ("pk = :b", NO_TYPE),
        ("pk = :p AND begins_with(sk, :p)", NO_TYPE),
        (
            "pk = :e",
            "One or more parameter values are not valid. "
            "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
    ],
)
def test_an_invalid_key_condition(text: str, reason: str) -> None:
    """A condition that is not of keys is rejected in DynamoDB's words."""
    with pytest.raises(AwsError) as raised:
        key_condition(text)
    assert raised.value.message == reason


def test_older_key_conditions() -> None:
    """KeyConditions are the same as a KeyConditionExpression."""
    given = {
        "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
        "sk": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "1.0"}]},
    }

    found = Expressions({"KeyConditions": given}).key_condition(KEYS)

    assert found == KeyCondition({"S": "a"}, ">=", ({"N": "1"},))


ITEM: dict[str, Any] = {"n": {"N": "5"}, "s": {"S": "hello"}, "ss": {"SS": ["a"]}}


@pytest.mark.parametrize(
    ("expected", "operator", "holds"),
    [
        ({"n": {"Value": {"N": "5"}}}, "AND", True),
        ({"zz": {"Exists": False}}, "AND", True),
        ({"n": {"Exists": False}, "s": {"Value": {"S": "hello"}}}, "OR", True),
        ({"n": {"Exists": False}, "s": {"Value": {"S": "hello"}}}, "AND", False),
        ({"s": {"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": [{"S": "q"}]}}, "AND", True),
        ({"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "he"}]}}, "AND", True),
        ({"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}, {"N": "5"}]}}, "AND", True),
        ({"n": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "1"}, {"N": "2"}]}}, "AND", False),
        ({"n": {"ComparisonOperator": "NOT_NULL"}}, "AND", True),
        ({"n": {"ComparisonOperator": "NULL"}}, "AND", False),
    ],
)
def test_older_conditions(expected: dict[str, Any], operator: str, holds: bool) -> None:
    """Expected is the same as a condition."""
    joined = {"ConditionalOperator": operator} if len(expected) > 1 else {}

    found = Expressions({"Expected": expected} | joined).condition()

    assert found is not None
    assert found.matches(ITEM) == holds


INVALID = "One or more parameter values were invalid:"


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ({"a": {}}, f"{INVALID} Value must be provided when Exists is null for Attribute: a"),
        ({"a": {"Exists": True}}, f"{INVALID} Value must be provided when Exists is true for Attribute: a"),
        (
            {"a": {"Exists": False, "Value": {"N": "1"}}},
            f"{INVALID} Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            {"a": {"ComparisonOperator": "EQ", "AttributeValueList": []}},
            f"{INVALID} Invalid number of argument(s) for the EQ ComparisonOperator",
        ),
        (
            {"a": {"ComparisonOperator": "EQ", "Exists": True}},
            f"{INVALID} Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            {"a": {"ComparisonOperator": "LT", "AttributeValueList": [{"BOOL": True}]}},
            f"{INVALID} ComparisonOperator LT is not valid for BOOL AttributeValue type",
        ),
        (
            {"a": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "1"}, {"S": "x"}]}},
            f"{INVALID} AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            {"a": {"AttributeValueList": [{"N": "1"}]}},
            f"{INVALID} AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
    ],
)
def test_an_invalid_older_condition(expected: dict[str, Any], reason: str) -> None:
    """Expected is rejected in DynamoDB's words."""
    with pytest.raises(AwsError) as raised:
        Expressions({"Expected": expected}).condition()
    assert raised.value.message == reason


def test_older_updates_and_projections() -> None:
    """AttributeUpdates and AttributesToGet are the same as expressions."""
    updates = {
        "n": {"Action": "ADD", "Value": {"N": "1"}},
        "s": {"Action": "DELETE"},
        "ss": {"Action": "DELETE", "Value": {"SS": ["a"]}},
        "new": {"Value": {"S": "x"}},
    }

    changed = Expressions({"AttributeUpdates": updates}).update().apply(ITEM)
    projection = Expressions({"AttributesToGet": ["n", "zz"]}).projection()

    assert changed == {"n": {"N": "6"}, "new": {"S": "x"}}
    assert projection is not None
    assert projection.apply(ITEM) == {"n": {"N": "5"}}

"""Filter policies: matches, limits, and AWS's errors.

The tables come from these pages of the SNS developer guide: string-value-matching, numeric-value-matching,
attribute-key-matching, and-or-logic and subscription-filter-policy-constraints. The errors for invalid
policies were recorded of AWS.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from localbus.sns.filter_policy import FilterPolicy, FilterPolicyError, Scope
from localbus.sns.message_fields import attribute_fields, body_fields

SOURCE = "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column:"
RUGBY = {"DataType": "String", "StringValue": "rugby"}
SPORTS = {"DataType": "String.Array", "StringValue": '["rugby", "tennis"]'}
PRICE = {"DataType": "Number", "StringValue": "100.00"}


def text(value: str) -> dict[str, str]:
    """Return a String attribute."""
    return {"DataType": "String", "StringValue": value}


def accepts(policy: Any, attributes: dict[str, Any]) -> bool:
    """Return whether a policy on attributes accepts a message with these."""
    return FilterPolicy(json.dumps(policy), "MessageAttributes").accepts(attribute_fields(attributes))


def accepts_body(policy: Any, body: Any) -> bool:
    """Return whether a policy on the body accepts a message with this one."""
    text = body if isinstance(body, str) else json.dumps(body)
    return FilterPolicy(json.dumps(policy), "MessageBody").accepts(body_fields(text))


@pytest.mark.parametrize(
    ("values", "attribute", "wanted"),
    [
        (["rugby", "tennis"], RUGBY, True),
        (["rugby", "tennis"], SPORTS, True),
        (["baseball"], SPORTS, False),
        (["Rugby"], RUGBY, False),
        ([{"anything-but": ["rugby", "tennis"]}], text("baseball"), True),
        ([{"anything-but": ["rugby", "tennis"]}], RUGBY, False),
        ([{"anything-but": ["rugby"]}], SPORTS, True),
        ([{"anything-but": {"prefix": "order-"}}], text("data-entry"), True),
        ([{"anything-but": {"prefix": "order-"}}], text("order-number"), False),
        ([{"equals-ignore-case": "TENNIS"}], SPORTS, True),
        ([{"cidr": "10.0.0.0/24"}], text("10.0.0.255"), True),
        ([{"cidr": "10.0.0.0/24"}], text("10.1.1.0"), False),
        ([{"prefix": "bas"}], text("baseball"), True),
        ([{"prefix": "bas"}], RUGBY, False),
        ([{"suffix": "ball"}], text("baseball"), True),
        ([{"suffix": "ball"}], RUGBY, False),
        ([{"numeric": ["=", 301.5]}], {"DataType": "Number", "StringValue": "3.015e2"}, True),
        ([{"numeric": ["=", 301.5]}], {"DataType": "Number", "StringValue": "3"}, False),
        ([{"numeric": [">", 0, "<=", 150]}], PRICE, True),
        ([{"numeric": ["<", 100]}], PRICE, False),
        ([{"anything-but": [100, 500]}], {"DataType": "Number", "StringValue": "101"}, True),
        ([{"anything-but": [100, 500]}], PRICE, False),
        ([100], PRICE, True),
        (["100.00"], PRICE, False),
        ([{"exists": True}], RUGBY, True),
        ([{"exists": False}], RUGBY, False),
        ([True], {"DataType": "String.Array", "StringValue": "[true]"}, True),
        ([None], {"DataType": "String.Array", "StringValue": "[null]"}, True),
        (["rugby"], {"DataType": "Binary", "BinaryValue": b"rugby"}, False),
    ],
)
def test_one_attribute(values: Any, attribute: dict[str, Any], wanted: bool) -> None:
    """Each operator works on each type of attribute except Binary."""
    assert accepts({"key": values}, {"key": attribute}) is wanted


@pytest.mark.parametrize(
    ("policy", "names", "wanted"),
    [
        ({"a": ["rugby"], "b": ["rugby"]}, "ab", True),
        ({"a": ["rugby"], "b": ["rugby"]}, "a", False),
        ({"a": ["rugby"]}, "ab", True),
        ({"b": [{"exists": False}]}, "a", True),
        ({"b": [None, {"anything-but": "x"}]}, "a", False),
        ({"b": [{"anything-but": "x"}]}, "a", False),
        ({"$or": [{"a": ["tennis"]}, {"b": ["rugby"]}]}, "b", True),
        ({"$or": [{"a": ["tennis"]}, {"b": ["rugby"]}]}, "a", False),
    ],
)
def test_keys(policy: Any, names: str, wanted: bool) -> None:
    """All keys of a policy must match, and one branch of an $or; null does not mean absent (recorded of AWS)."""
    assert accepts(policy, dict.fromkeys(names, RUGBY)) is wanted


RECORDS = {"Records": {"s3": {"object": {"key": [{"prefix": "auto-"}]}}, "eventName": [{"prefix": "ObjectCreated:"}]}}
DETAIL = {
    "$or": [{"metricName": ["CPUUtilization", "ReadLatency"]}, {"namespace": ["AWS/EC2", "AWS/ES"]}],
    "detail": {"scope": ["Service"], "$or": [{"source": ["aws.cloudwatch"]}, {"type": ["Alarm"]}]},
}


@pytest.mark.parametrize(
    ("condition", "value", "wanted"),
    [
        ({"numeric": ["=", 1.000001]}, "1.000009", True),
        ({"numeric": ["=", 1.00001]}, "1.00002", False),
        ({"numeric": [">", 1]}, "1.000009", False),
        ({"numeric": [">", 1]}, "1.00001", True),
        ({"numeric": [">", 0.000001]}, "0.000002", False),
        ({"numeric": ["<", 0]}, "-0.000009", False),
        ({"numeric": ["=", 4.35]}, "4.350001", True),
        ({"anything-but": [1.000001]}, "1.000002", False),
        (1.000001, "1.000002", True),
        (999999999.99999, "999999999.999991", True),
        (999999999.99999, "999999999.99998", False),
        ({"numeric": ["=", 1e2]}, "100", True),
    ],
)
def test_numbers_have_five_digits_after_the_point(condition: Any, value: str, wanted: bool) -> None:
    """In the policy, in attributes and in the body (numeric-value-matching; subscription-filter-policy-constraints)."""
    attributes = {"k": {"DataType": "Number", "StringValue": value}}

    assert accepts({"k": [condition]}, attributes) is wanted
    assert (
        FilterPolicy(json.dumps({"k": [condition]}), "MessageBody").accepts(body_fields(f'{{"k": {value}}}')) is wanted
    )


@pytest.mark.parametrize(
    ("policy", "body", "wanted"),
    [
        ({"object": {"key": [{"prefix": "auto-"}, "hard"]}}, {"object": {"key": "auto-test"}}, True),
        ({"object": {"key": [{"prefix": "auto-"}, "hard"]}}, {"object": {"key": "hard"}}, True),
        ({"object": {"key": [{"prefix": "auto-"}]}}, {"object": {"test": "auto-test"}}, False),
        ({"object": {"key": ["x"]}}, {"object": "x"}, False),
        ({"key": ["x"]}, "x", False),
        ({"key": ["x"]}, '["key"]', False),
        ({"object.nested": ["x"]}, {"object": {"nested": "x"}}, True),
        ({"object.nested": ["x"]}, {"object.nested": "x"}, True),
        ({"object.nested.test": ["x"]}, {"object": {"nested.test": "x"}}, True),
        ({"headers": {"route-to": ["queue1"]}}, {"headers": {"route-to": ["queue2", "queue1"]}}, True),
        ({"headers": {"route-to": ["queue1"]}}, {"headers": {"route-to": ["queue2"]}}, False),
        (RECORDS, {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": [[{"key": "auto-1"}]]}}]}, True),
        (RECORDS, {"Records": [{"eventName": "ObjectRemoved:X", "s3": {"object": {"key": "auto-1"}}}]}, False),
        (DETAIL, {"metricName": "ReadLatency", "detail": {"scope": "Service", "source": "aws.cloudwatch"}}, True),
        (DETAIL, {"namespace": "AWS/ES", "detail": {"scope": "Service", "type": "Alarm"}}, True),
        (DETAIL, {"namespace": "AWS/ES", "detail": {"scope": "Service", "type": "other"}}, False),
        (DETAIL, {"metricName": "ReadLatency", "detail": {"source": "aws.cloudwatch"}}, False),
    ],
)
def test_bodies(policy: Any, body: Any, wanted: bool) -> None:
    """Policies on the body match in objects and arrays (recorded of AWS); a body must be an object to match."""
    assert accepts_body(policy, body) is wanted


@pytest.mark.parametrize(
    ("values", "reason", "column"),
    [
        ([["value"]], "Match value must be String, number, true, false, or null", 10),
        ([{"wrong-operator": True}], "Unrecognized match type wrong-operator", 31),
        ([{"suffix": "value", "prefix": "value2"}], "Only one key allowed in match expression", 37),
        ([{"suffix": 100}], "suffix match pattern must be a string", 22),
        ({"suffix": "value"}, '"suffix" must be an object or an array', 19),
        ([{"suffix": []}], "suffix match pattern must be a string", 20),
        ([{"anything-but": {"prefix": False}}], "prefix match pattern must be a string", 40),
        ([{"numeric": []}], "Invalid member in numeric match: ]", 22),
        ([{"numeric": ["operator"]}], "Unrecognized numeric range operator: operator", 32),
        ([{"numeric": ["=", "000"]}], "Value of equals must be numeric", 26),
        ([{"numeric": ["<", 100, ">", 10]}], "Too many elements in numeric expression", 30),
        ([{"numeric": [">=", 1, ">", 2]}], "Bad numeric range operator: >", 31),
        ([{"numeric": [">", 3, "<", 1]}], "Bottom must be less than top", 33),
        ([{"numeric": [">", 20, "<", 30, "<", 50]}], "Too many terms in numeric range expression", 36),
        ([{"exists": None}], "exists match pattern must be either true or false.", 23),
        ([{"anything-but": {"wrong-operator": None}}], "Unsupported anything-but pattern: wrong-operator", 47),
        ([{"anything-but": {"suffix": "test"}}], "Unsupported anything-but pattern: suffix", 36),
        ([{"anything-but": {"exists": False}}], "Unsupported anything-but pattern: exists", 40),
        ([{"wildcard": "a*"}], "Unrecognized match type wildcard", 22),
        ([{"numeric": ["=", 2e9]}], "Value must be between -1.0E9 and 1.0E9, inclusive", None),
    ],
)
def test_invalid_policies(values: Any, reason: str, column: int | None) -> None:
    """The reason and the position are AWS's."""
    with pytest.raises(FilterPolicyError) as raised:
        FilterPolicy(json.dumps({"key": values}, separators=(",", ":")), "MessageBody")

    message = str(raised.value)
    assert message.startswith(f"FilterPolicy: {reason}\n {SOURCE} ")
    assert column is None or message.endswith(f" {column}]")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "invalid",
            "Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' "
            f"or 'false')\n {SOURCE} 8]",
        ),
        (
            "{invalid",
            f"Unexpected character ('i' (code 105)): was expecting double-quote to start field name\n {SOURCE} 2]",
        ),
    ],
)
def test_a_policy_that_is_not_json(text: str, reason: str) -> None:
    """The parser's message and the position were recorded of AWS."""
    with pytest.raises(FilterPolicyError) as raised:
        FilterPolicy(text, "MessageAttributes")

    assert str(raised.value) == f"FilterPolicy: failed to parse JSON. {reason}"


FLAT_OR = {
    "source": ["s1", "s2", "s3", "s4"],
    "$or": [
        {"metricName": ["n1", "n2", "n3", "n4", "n5", "n6"]},
        {"metricType": ["t1", "t2", "t3", "t4"], "$or": [{"metricId": [1, 2, 3, 4]}, {"spaceId": [1, 2, 3, 4]}]},
    ],
}
NESTED_OR = {
    "$or": [{"metricName": ["a", "b", "c"]}, {"namespace": ["a", "b"]}],
    "detail": {"scope": ["a", "b"], "$or": [{"source": ["a"]}, {"type": ["a", "b", "c"]}]},
}


@pytest.mark.parametrize(
    ("policy", "scope"),
    [
        ({"key": [str(number) for number in range(151)]}, "MessageAttributes"),
        ({"a": [str(number) for number in range(100)], "b": ["x", "y"]}, "MessageAttributes"),
        (FLAT_OR, "MessageAttributes"),  # 4*6 + 4*4*4 + 4*4*4 = 152
        (NESTED_OR, "MessageBody"),  # 3*4*2 + 3*4*6 + 2*4*2 + 2*4*6 = 160
        ({"a": {"b": {"c": [str(number) for number in range(51)]}}}, "MessageBody"),  # 51 values, three levels deep
    ],
)
def test_a_policy_has_at_most_150_combinations(policy: Any, scope: Scope) -> None:
    """The numbers of values multiply with their depth, and the branches of an $or add up (recorded of AWS)."""
    with pytest.raises(FilterPolicyError, match=r"^FilterPolicy: Filter policy is too complex$"):
        FilterPolicy(json.dumps(policy), scope)


def test_150_combinations_are_not_too_many() -> None:
    """3*6 + 3*4*4 + 3*4*7 = 150."""
    branch = {"metricType": ["a", "b", "c", "d"], "$or": [{"id": [1, 2, 3, 4]}, {"space": [1, 2, 3, 4, 5, 6, 7]}]}
    policy = {"source": ["a", "b", "c"], "$or": [{"name": ["a", "b", "c", "d", "e", "f"]}, branch]}

    assert FilterPolicy(json.dumps(policy), "MessageAttributes").scope == "MessageAttributes"


def test_a_policy_has_at_most_five_keys() -> None:
    """Six keys are rejected."""
    with pytest.raises(FilterPolicyError, match=r"^FilterPolicy: Filter policy can not have more than 5 keys$"):
        FilterPolicy(json.dumps({f"key{number}": ["value"] for number in range(6)}), "MessageAttributes")


def test_a_policy_on_attributes_is_flat() -> None:
    """Nested keys are for bodies only; the errors of any policy come first (recorded of AWS)."""
    with pytest.raises(FilterPolicyError, match=r'^FilterPolicy: "suffix" must be an object or an array'):
        FilterPolicy('{"key":{"suffix":"value"}}', "MessageAttributes")
    with pytest.raises(FilterPolicyError, match="scope MessageAttributes does not support nested filter policy"):
        FilterPolicy('{"object": {"key": ["a"]}}', "MessageAttributes")


NAMES = st.sampled_from(["a", "$or", "prefix", "anything-but", "numeric", "exists", "cidr", "wildcard", ""])
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4))
DOCUMENTS = st.recursive(
    VALUES | st.sampled_from([">", "=", "10.0.0.0/24"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(NAMES, DOCUMENTS, max_size=3), st.sampled_from(["MessageAttributes", "MessageBody"]), DOCUMENTS)
def test_any_policy_is_accepted_or_rejected(policy: Any, scope: Scope, body: Any) -> None:
    """No JSON document raises another error, as a policy or as a body."""
    try:
        compiled = FilterPolicy(json.dumps(policy), scope)
    except FilterPolicyError:
        return
    assert compiled.accepts(body_fields(json.dumps(body))) in {True, False}

"""Attribute values: their checks, normal forms, sizes and order as keys.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html. Texts are
those that dynalite's tests recorded from AWS, and of Amazon's DynamoDB Local 3.3 for names and nesting.
"""

# ruff: noqa: E501 (AWS's texts, a case a line)

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.dynamodb.attribute_value import check_item, check_value, normal_number
from localbus.dynamodb.key_codec import encode
from localbus.errors import AwsError, MalformedRequestError

INVALID = "One or more parameter values were invalid: "


def nested(levels: int) -> dict[str, Any]:
    """A value within so many lists."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


@pytest.mark.parametrize(
    ("text", "normal"),
    [("1.0", "1"), ("1e2", "100"), ("-0", "0"), ("+5", "5"), ("007.500", "7.5"), (".5", "0.5"), ("5.", "5"),
     ("1E-3", "0.001"), ("9.9e125", "99" + "0" * 124), ("1e-130", "0." + "0" * 129 + "1"), ("1" * 38, "1" * 38),
     ("1" * 38 + "000", "1" * 38 + "000"), ("-12.50", "-12.5")],
)  # fmt: skip
def test_numbers_are_plain_decimals(text: str, normal: str) -> None:
    """A number comes back without exponent, sign of zero and extra zeros."""
    assert normal_number(text) == normal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ({"S": "a", "N": "1"}, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"),
        ({"N": ""}, "The parameter cannot be converted to a numeric value"),
        ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc"),
        ({"N": " 5"}, "The parameter cannot be converted to a numeric value:  5"),
        ({"N": "1e126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ({"N": "1e-131"}, "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        ({"NULL": False}, f"{INVALID}Null attribute value types must have the value of true"),
        ({"SS": []}, f"{INVALID}An string set  may not be empty"),
        ({"NS": []}, f"{INVALID}An number set  may not be empty"),
        ({"BS": []}, f"{INVALID}Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, f"{INVALID}Input collection [a, a] contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"M": {"": {"S": "x"}}}, "Empty attribute name"),
        (nested(32), "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"),
    ],
)  # fmt: skip
def test_invalid_values(value: dict[str, Any], text: str) -> None:
    """Each has AWS's message."""
    with pytest.raises(AwsError) as raised:
        check_value(value)

    assert (raised.value.code, raised.value.message) == ("ValidationException", text)


@pytest.mark.parametrize(
    "value",
    [{"S": 5}, {"N": 5}, {"BOOL": "true"}, {"L": {}}, {"M": []}, {"SS": "a"}, {"B": "?"}, "text", {"S": "\ud800"}],
)
def test_values_of_the_wrong_json_type(value: Any) -> None:
    """They are no request of DynamoDB's: SerializationException."""
    with pytest.raises(MalformedRequestError):
        check_value(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [({"S": "tea"}, 3), ({"S": "é"}, 2), ({"N": "123.4"}, 3), ({"N": "-1"}, 3), ({"N": "1000"}, 2), ({"B": "AAAA"}, 3), ({"BOOL": True}, 1),
     ({"NULL": True}, 1), ({"L": []}, 3), ({"L": [{"S": "ab"}]}, 6), ({"M": {"k": {"S": "ab"}}}, 7), ({"SS": ["a", "bc"]}, 3)],
)  # fmt: skip
def test_sizes(value: dict[str, Any], size: int) -> None:
    """Text by its UTF-8 bytes, a number by pairs of digits, 3 bytes for a list or map and one for each member.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    assert check_value(value) == size
    assert check_item({"name": value}) == 4 + size


def test_a_set_is_sorted_and_base64_is_canonical() -> None:
    """So that equal values are equal for Python."""
    value = {"M": {"s": {"SS": ["b", "a"]}, "n": {"NS": ["10", "9", "-1"]}, "b": {"B": "YR=="}}}

    check_value(value)

    assert value == {"M": {"s": {"SS": ["a", "b"]}, "n": {"NS": ["-1", "9", "10"]}, "b": {"B": "YQ=="}}}
    check_value(nested(31))


NUMBERS = st.builds(
    lambda digits, exponent, sign: f"{sign}{digits}e{exponent}",
    st.integers(min_value=0, max_value=10**38 - 1),
    st.integers(min_value=-130, max_value=85),
    st.sampled_from(["", "-"]),
)


@given(NUMBERS, NUMBERS)
def test_keys_sort_numbers_by_value(one: str, other: str) -> None:
    """The bytes of two numbers compare as the numbers do."""
    left, right = ({"N": normal_number(text)} for text in (one, other))

    assert (encode(left) < encode(right)) == (Decimal(one) < Decimal(other))
    assert (encode(left) == encode(right)) == (Decimal(one) == Decimal(other))


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_keys_sort_texts_by_utf_8(one: str, other: str) -> None:
    """Text is compared by its bytes in UTF-8."""
    assert (encode({"S": one}) < encode({"S": other})) == (one.encode() < other.encode())

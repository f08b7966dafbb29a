"""Attribute values: their checks, their normal form and their size.

A checked value is in normal form: numbers as plain decimals without extra zeros, sets sorted, blobs as canonical
base64. So two values are equal if Python finds them equal. Checks change a value in place and return its size in bytes.
Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (sizes)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact
from typing import Any

from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.key_codec import encode_number
from localbus.errors import MalformedRequestError
from localbus.protocol.aws_json import blob, not_a

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]

MAX_ITEM_BYTES = 400 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 38
MAX_EXPONENT = 125
MIN_EXPONENT = -130
KINDS = ("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")

_CANONICAL = re.compile(r"0|-?(?:[1-9][0-9]{0,18}|0(?=\.))(?:\.[0-9]{0,17}[1-9])?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_DIGITS = Context(prec=MAX_DIGITS, Emax=999_999_999, Emin=-999_999_999, traps=[Inexact])
_NO_NAME = "Empty attribute name"
_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)


def check_item(item: Item) -> int:
    """Check and normalize an item. Return its size with the names. Raises AwsError or MalformedRequestError."""
    size = 0
    if "" in item:
        raise invalid(_NO_NAME)
    for name, value in item.items():
        size += len(name) if name.isascii() else _text_size(name)
        if type(value) is dict and len(value) == 1 and type(text := value.get("S")) is str and text.isascii():
            size += len(text)  # most values by far
        else:
            size += check_value(value)
    return size


def check_value(value: AttributeValue, depth: int = 0) -> int:
    """Check and normalize a value. Return its size. Raises AwsError or MalformedRequestError."""
    try:
        ((kind, content),) = value.items()
        if kind == "S":
            return len(content) if content.isascii() else _text_size(content)
        check = _CHECKS[kind]
    except (ValueError, KeyError, AttributeError, TypeError):
        return _check_unusual(value, depth)
    return check(value, content, depth)


def kind_of(value: AttributeValue) -> str:
    """Return the type of a checked value, such as `S`."""
    return next(iter(value))


def normal_number(text: object) -> str:
    """Return a number as DynamoDB returns it. Raises AwsError or MalformedRequestError."""
    if not isinstance(text, str):
        raise not_a("String", text)
    if _CANONICAL.fullmatch(text):
        return text
    if not text:
        raise invalid("The parameter cannot be converted to a numeric value")
    if not _NUMBER.fullmatch(text):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    number = Decimal(text)
    if not number:
        return "0"
    if number.adjusted() > MAX_EXPONENT:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if number.adjusted() < MIN_EXPONENT:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    try:
        return f"{_DIGITS.create_decimal(number).normalize(_DIGITS):f}"
    except Inexact as exc:
        raise invalid("Attempting to store more than 38 significant digits in a Number") from exc


def _check_unusual(value: Any, depth: int) -> int:
    """Check a value that is not of one known type, or whose content is not of it."""
    if not isinstance(value, dict):
        raise not_a("Structure", value)
    known = {kind: value[kind] for kind in KINDS if value.get(kind) is not None}
    if not known:
        raise invalid(_EMPTY)
    if len(known) > 1:
        raise invalid(_SEVERAL)
    value.clear()
    value.update(known)
    ((kind, content),) = known.items()
    if kind == "S":
        if not isinstance(content, str):
            raise not_a("String", content)
        return _text_size(content)
    return _CHECKS[kind](value, content, depth)


def _text_size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as exc:
        raise MalformedRequestError("A string is not valid Unicode: it has half of a surrogate pair.") from exc


def _number_size(text: str) -> int:
    digits = len(text.replace(".", "").strip("-0"))
    return (digits + 1) // 2 + 1 + text.startswith("-")


def _check_number(value: AttributeValue, content: Any, _depth: int) -> int:
    value["N"] = text = normal_number(content)
    return _number_size(text)


def _blob(content: Any) -> tuple[str, int]:
    """Return base64 in its canonical form and the number of bytes."""
    if not isinstance(content, str):
        raise not_a("Blob", content)
    data = blob(content)
    return base64.b64encode(data).decode(), len(data)


def _check_blob(value: AttributeValue, content: Any, _depth: int) -> int:
    value["B"], size = _blob(content)
    return size


def _check_boolean(_value: AttributeValue, content: Any, _depth: int) -> int:
    if not isinstance(content, bool):
        raise not_a("Boolean", content)
    return 1


def _check_null(_value: AttributeValue, content: Any, _depth: int) -> int:
    if not isinstance(content, bool):
        raise not_a("Boolean", content)
    if not content:
        raise invalid_parameter("Null attribute value types must have the value of true")
    return 1


def _check_map(_value: AttributeValue, content: Any, depth: int) -> int:
    if not isinstance(content, dict):
        raise not_a("Map", content)
    if "" in content:
        raise invalid(_NO_NAME)
    size = 3 + len(content)
    for name, member in content.items():
        size += _text_size(name) + check_value(member, _deeper(depth))
    return size


def _check_list(_value: AttributeValue, content: Any, depth: int) -> int:
    if not isinstance(content, list):
        raise not_a("List", content)
    return 3 + len(content) + sum(check_value(member, _deeper(depth)) for member in content)


def _deeper(depth: int) -> int:
    if depth + 2 > MAX_DEPTH:
        text = "Attributes in the item have nested levels beyond supported limit"
        raise invalid(f"Nesting Levels have exceeded supported limits: {text}")
    return depth + 1


def _members(content: Any, empty: str) -> list[Any]:
    if not isinstance(content, list):
        raise not_a("List", content)
    if not content:
        raise invalid_parameter(empty)
    return content


def _check_strings(value: AttributeValue, content: Any, _depth: int) -> int:
    texts = _members(content, "An string set  may not be empty")
    size = 0
    for text in texts:
        if not isinstance(text, str):
            raise not_a("String", text)
        size += _text_size(text)
    if len(set(texts)) < len(texts):
        raise invalid_parameter(f"Input collection [{', '.join(texts)}] contains duplicates.")
    value["SS"] = sorted(texts)
    return size


def _check_numbers(value: AttributeValue, content: Any, _depth: int) -> int:
    numbers = [normal_number(text) for text in _members(content, "An number set  may not be empty")]
    if len(set(numbers)) < len(numbers):
        raise invalid("Input collection contains duplicates")
    value["NS"] = sorted(numbers, key=encode_number)
    return sum(map(_number_size, numbers))


def _check_blobs(value: AttributeValue, content: Any, _depth: int) -> int:
    blobs = [_blob(text) for text in _members(content, "Binary sets should not be empty")]
    texts = [text for text, _ in blobs]
    if len(set(texts)) < len(texts):
        raise invalid_parameter(f"Input collection [{', '.join(texts)}]of type BS contains duplicates.")
    value["BS"] = sorted(texts)
    return sum(size for _, size in blobs)


_CHECKS: dict[str, Callable[[AttributeValue, Any, int], int]] = {
    "N": _check_number,
    "B": _check_blob,
    "BOOL": _check_boolean,
    "NULL": _check_null,
    "M": _check_map,
    "L": _check_list,
    "SS": _check_strings,
    "NS": _check_numbers,
    "BS": _check_blobs,
}

"""The fields of a message that filter policies look at, and what keeps a message from every filter policy.

SNS accepts a message whose attributes or body cannot be filtered, delivers it to subscriptions without a filter policy,
and withholds it from the others without an error.
Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html (the value must be a valid JSON string)
and https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import trunc
from typing import Any, NoReturn

from localbus.event_pattern.json_tokenizer import Value
from localbus.event_pattern.pattern import ArrayPosition, Fields, fields_of

# https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
_DIGITS = 5
_TOO_LARGE_FOR_FRACTIONS = 1e10


@dataclass(frozen=True)
class Unsound:
    """A message that no filter policy accepts. `metric` is the ending of the CloudWatch metric that counts it."""

    metric: str
    reason: str


def five_digits(text: str) -> float:
    """Return a number as SNS compares it: with five digits after the decimal point."""
    number = float(text)
    whole, _, fraction = text.partition(".")
    if (len(fraction) <= _DIGITS and (fraction or whole).isdecimal()) or abs(number) > _TOO_LARGE_FOR_FRACTIONS:
        return number
    return trunc(round(number * 10.0**_DIGITS, 4)) / 10.0**_DIGITS  # rounded where binary fractions are inexact


def attribute_fields(attributes: Mapping[str, Mapping[str, Any]]) -> Fields | Unsound:
    """Return the attributes as fields: each item of a String.Array is a value, Binary attributes are left out.

    One unsound attribute makes the whole message unsound, also if no policy names it.
    """
    fields: dict[str, list[tuple[Value, ArrayPosition]]] = {}
    for name, attribute in attributes.items():
        kind: str = attribute["DataType"]
        if kind.startswith("Binary"):
            continue
        try:
            fields[name] = [(value, ()) for value in _values(kind, attribute["StringValue"])]
        except (ValueError, RecursionError):
            shape = "a JSON array" if kind == "String.Array" else "valid between the quotes of a JSON string"
            text = f"the {kind} attribute {name} is not {shape}"
            return Unsound("InvalidAttributes", f"{text}: escape quotes, backslashes and control characters")
    return fields


def _values(kind: str, text: str) -> list[Value]:
    """Return the values of an attribute. SNS puts the text of a String between quotes as it is."""
    if kind == "String.Array":
        items = _loads(text)
        if not isinstance(items, list):
            raise ValueError("not an array")
        return [item for item in items if not isinstance(item, dict | list)]
    if kind.startswith("Number"):
        return [five_digits(text)]
    if text.isprintable() and '"' not in text and "\\" not in text:
        return [text]
    value: str = _loads(f'"{text}"')
    return [value]


def body_fields(message: str) -> Fields | Unsound:
    """Return the fields of a body that is a JSON object."""
    try:
        document = _loads(message)
    except (ValueError, RecursionError):
        return Unsound("InvalidMessageBody", "the message body is not valid JSON")
    if not isinstance(document, dict):
        return Unsound("InvalidMessageBody", "the message body is not a JSON object")
    return fields_of(document)


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_loads = json.JSONDecoder(parse_float=five_digits, parse_constant=_reject).decode

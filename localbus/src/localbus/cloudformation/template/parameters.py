"""A template's parameters: validation and values.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from localbus.cloudformation.template.parser import as_text, format_error
from localbus.errors import AwsError
from localbus.input_values import decimal_number

MASK = "****"
_MAX_LENGTH = 4096  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_KEYS = {
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
}
# The values of AWS-specific types (ids and names) are not looked up, except in Systems Manager.
_AWS_TYPE = r"AWS::[A-Za-z0-9]+(?:::[A-Za-z0-9]+)+"
_PLAIN = re.compile(rf"String|Number|{_AWS_TYPE}")
_LIST = re.compile(rf"CommaDelimitedList|List<(?:Number|String|{_AWS_TYPE})>")
_STORED = re.compile(rf"AWS::SSM::Parameter::Value<(String|CommaDelimitedList|List<String>|(?:List<)?{_AWS_TYPE}>?)>")
_STORED_NAME = "AWS::SSM::Parameter::Name"


def check(parameters: Mapping[str, Any]) -> None:
    """Raise AwsError if the section is not valid."""
    for name, given in parameters.items():
        where = f"[/Parameters/{name}]"
        if not isinstance(given, dict) or not isinstance(given.get("Type"), str):
            raise format_error(f"{where} Every Parameters object must contain a Type member.")
        unknown = sorted(set(given) - _KEYS)
        if unknown:
            raise AwsError("ValidationError", f"Invalid template parameter property '{unknown[0]}'")
        _check_constraints(where, given)
        kind = _value_type(given)
        if kind == "AWS::SSM::Parameter::Value" or not (_PLAIN.fullmatch(kind) or _LIST.fullmatch(kind)):
            raise format_error(f"Unrecognized parameter type: {given['Type']}")


def _value_type(definition: Mapping[str, Any]) -> str:
    """The type of a parameter's value: for a name in Systems Manager, that of the value stored there."""
    stored = _STORED.fullmatch(definition["Type"])
    return stored[1] if stored else str(definition["Type"])


def names_in_store(parameters: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """The parameters whose values name a parameter of Systems Manager, with that name."""
    return {name: values[name] for name, one in parameters.items() if is_stored(one) or one["Type"] == _STORED_NAME}


def is_stored(definition: Mapping[str, Any]) -> bool:
    """True if the value is read from Systems Manager."""
    return bool(_STORED.fullmatch(definition["Type"]))


def _check_constraints(where: str, given: Mapping[str, Any]) -> None:
    """Check that the constraints can be applied."""
    try:
        re.compile(as_text(given.get("AllowedPattern", "")))
        for key in ("MinLength", "MaxLength", "MinValue", "MaxValue"):
            _number(given.get(key, 0))
    except (ValueError, re.error) as exc:
        raise format_error(f"{where} {exc}") from exc
    allowed = given.get("AllowedValues", [])
    if not isinstance(allowed, list) or any(isinstance(one, list | dict) for one in allowed):
        raise format_error(f"{where} Every AllowedValues member must be a list of strings.")
    for key in given.keys() - {"AllowedValues", "Type"}:
        if isinstance(given[key], list | dict):
            raise format_error(f"Every {key} member must be a string.")


def values(parameters: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The parameters' values as text: the given one, otherwise the default. Raises AwsError."""
    unknown = [name for name in given if name not in parameters]
    if unknown:
        raise AwsError("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, one in parameters.items() if name not in given and "Default" not in one]
    if missing:
        raise AwsError("ValidationError", f"Parameters: [{', '.join(missing)}] must have values")
    found = {name: given[name] if name in given else as_text(one["Default"]) for name, one in parameters.items()}
    for name, text in found.items():
        try:
            rule = next(_violations(text, parameters[name]), None)
        except ValueError as exc:
            raise AwsError("ValidationError", f"Parameter '{name}' must be a number.") from exc
        if rule is not None:
            described = parameters[name].get("ConstraintDescription")
            rule = f"failed to satisfy constraint: {described}" if described else rule
            raise AwsError("ValidationError", f"Parameter '{name}' {rule}")
    return found


def ref_value(definition: Mapping[str, Any], text: str) -> str | list[str]:
    """The value of `Ref`: the text, or the items of a list."""
    if _LIST.fullmatch(_value_type(definition)):
        return [item.strip() for item in text.split(",")] if text else []
    return text


def is_no_echo(definition: Mapping[str, Any]) -> bool:
    """True for a NoEcho parameter, whose value is masked."""
    return as_text(definition.get("NoEcho", False)).lower() == "true"


def _number(value: Any) -> float:
    return decimal_number(as_text(value))


def _violations(text: str, definition: Mapping[str, Any]) -> Iterator[str]:
    """The constraints that a value violates, worded as CloudFormation does. Raises ValueError if it is not a number."""
    items = text if is_stored(definition) else ref_value(definition, text)
    each = items if isinstance(items, list) else [items]
    allowed, pattern = definition.get("AllowedValues"), definition.get("AllowedPattern")
    if allowed is not None and not set(each) <= set(map(as_text, allowed)):
        yield f"must be one of AllowedValues: [{', '.join(map(as_text, allowed))}]"
    if pattern is not None and not all(re.fullmatch(as_text(pattern), item) for item in each):
        yield f"must match pattern {as_text(pattern)}"
    if len(text) > _MAX_LENGTH:
        yield f"must contain at most {_MAX_LENGTH} characters"
    if len(text) < _number(definition.get("MinLength", 0)):
        yield f"must contain at least {definition['MinLength']} characters"
    if len(text) > _number(definition.get("MaxLength", _MAX_LENGTH)):
        yield f"must contain at most {definition['MaxLength']} characters"
    for number in map(_number, each if definition["Type"] in {"Number", "List<Number>"} else []):
        if number < _number(definition.get("MinValue", number)):
            yield f"must be a number not less than {definition['MinValue']}"
        if number > _number(definition.get("MaxValue", number)):
            yield f"must be a number not greater than {definition['MaxValue']}"

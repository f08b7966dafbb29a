"""The conditions of a resource policy: operators, multivalued keys and policy variables.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
and https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import base64
import fnmatch
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

# The context of a request: its condition keys in lower case, each with one value or several.
Context = Mapping[str, str | tuple[str, ...]]

_ARN_PARTS = 6
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"([0-9]{4})(-[0-9]{2})?(-[0-9]{2})?(T[0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?")
_YEAR_DIGITS = 4
_VARIABLE = re.compile(r"\$\{([^{},]+)(?:,\s*'([^']*)')?\}")


@lru_cache(maxsize=512)
def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))  # linear in the number of wildcards


def like(pattern: str, value: str) -> bool:
    """Return whether a text matches a pattern with `*` and `?`."""
    return _wildcard(pattern).fullmatch(value) is not None


def arn_like(pattern: str, value: str) -> bool:
    """Return whether an ARN matches part by part. A part that the pattern does not have matches everything.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    wanted, found = (text.split(":", _ARN_PARTS - 1) for text in (pattern, value))
    if len(wanted) == 1 or len(found) < _ARN_PARTS:
        return like(pattern, value)
    return all(like(one, other) for one, other in zip(wanted, found, strict=False))


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _moment(text: str) -> Decimal:
    """Parse a date in ISO 8601, or seconds since 1970."""
    if len(text) > _YEAR_DIGITS and _NUMBER.fullmatch(text):
        return Decimal(text)
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, time = found.groups()
    moment = datetime.fromisoformat(f"{year}{month or '-01'}{day or '-01'}{time or ''}")
    return Decimal(str((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _network(text: str) -> Any:
    return ipaddress.ip_network(text, strict=False)


class _Operator(NamedTuple):
    """The form of the values, and the test of one in the policy and one in the request. `parse` raises ValueError."""

    parse: Callable[[str], Any]
    test: Callable[[Any, Any], bool]


_POSITIVE = {
    "StringEquals": _Operator(str, operator.eq),
    "StringEqualsIgnoreCase": _Operator(str.lower, operator.eq),
    "StringLike": _Operator(str, like),
    "NumericEquals": _Operator(_number, operator.eq),
    "NumericLessThan": _Operator(_number, operator.gt),
    "NumericLessThanEquals": _Operator(_number, operator.ge),
    "NumericGreaterThan": _Operator(_number, operator.lt),
    "NumericGreaterThanEquals": _Operator(_number, operator.le),
    "DateEquals": _Operator(_moment, operator.eq),
    "DateLessThan": _Operator(_moment, operator.gt),
    "DateLessThanEquals": _Operator(_moment, operator.ge),
    "DateGreaterThan": _Operator(_moment, operator.lt),
    "DateGreaterThanEquals": _Operator(_moment, operator.le),
    "Bool": _Operator(_truth, operator.eq),
    "BinaryEquals": _Operator(lambda text: base64.b64decode(text, validate=True), operator.eq),
    "IpAddress": _Operator(_network, lambda wanted, found: found.version == wanted.version and found.subnet_of(wanted)),
    "ArnEquals": _Operator(str, arn_like),
    "ArnLike": _Operator(str, arn_like),
}
_NEGATED = {
    "StringNotEquals": _POSITIVE["StringEquals"],
    "StringNotEqualsIgnoreCase": _POSITIVE["StringEqualsIgnoreCase"],
    "StringNotLike": _POSITIVE["StringLike"],
    "NumericNotEquals": _POSITIVE["NumericEquals"],
    "DateNotEquals": _POSITIVE["DateEquals"],
    "NotIpAddress": _POSITIVE["IpAddress"],
    "ArnNotEquals": _POSITIVE["ArnEquals"],
    "ArnNotLike": _POSITIVE["ArnLike"],
}
_OPERATORS = _POSITIVE | _NEGATED
_NULL = "Null"


class _Name(NamedTuple):
    """An operator's name in a policy, in its parts: `ForAllValues:StringLikeIfExists`."""

    qualifier: str
    base: str
    if_exists: bool


def _split(name: str) -> _Name:
    qualifier, _, rest = name.rpartition(":")
    return _Name(qualifier, rest.removesuffix("IfExists"), rest.endswith("IfExists"))


def is_operator(name: str) -> bool:
    """Return whether AWS has this condition operator."""
    qualifier, base, if_exists = _split(name)
    return qualifier in {"", "ForAllValues", "ForAnyValue"} and (
        base in _OPERATORS or (name == _NULL and not if_exists)
    )


def is_value(name: str, text: str) -> bool:
    """Return whether a text can be a value of this operator, such as a number or an address."""
    base = _split(name).base
    try:
        (_truth if base == _NULL else _OPERATORS[base].parse)(text)
    except ValueError:
        return "${" in text
    return True


def variables_of(text: str) -> set[str]:
    """Return the condition keys, in lower case, whose values the text asks for: `${aws:PrincipalAccount}`."""
    return {name.lower() for name, _default in _VARIABLE.findall(text)}


def filled(texts: list[str], context: Context) -> list[str]:
    """Replace the variables of each text. One with a variable that the request does not have matches nothing."""
    known = {name: value for name, value in context.items() if isinstance(value, str)}
    result: list[str] = []
    for text in texts:
        variables = [(name.lower(), default) for name, default in _VARIABLE.findall(text)]
        if all(name in known or default for name, default in variables):
            result.append(_VARIABLE.sub(lambda found: known.get(found[1].lower(), found[2]), text))
    return result


def condition_holds(name: str, key: str, wanted: list[str], context: Context) -> bool:
    """Return whether one condition holds: an operator, a key and the values that the policy lists."""
    qualifier, base, if_exists = _split(name)
    value = context.get(key.lower())
    if base == _NULL:
        return [text.lower() for text in wanted] == [str(value is None).lower()]
    if value is None:
        return if_exists or qualifier == "ForAllValues" or (base in _NEGATED and not qualifier)
    if base not in _OPERATORS:
        return False
    values = (value,) if isinstance(value, str) else value
    outcomes = (_matches(_OPERATORS[base], wanted, one) != (base in _NEGATED) for one in values)
    return all(outcomes) if qualifier == "ForAllValues" else any(outcomes)


def _matches(one: _Operator, wanted: list[str], value: str) -> bool:
    try:
        found = one.parse(value)
        return any(one.test(one.parse(text), found) for text in wanted)
    except ValueError:
        return False

"""The alternatives for one field of an event pattern: JSON values and operators such as {"prefix": "a"}.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html, and for the error
messages https://github.com/aws/event-ruler, the open engine behind EventBridge.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Hashable
from typing import Literal

from localbus.event_pattern.anything_but import read_anything_but
from localbus.event_pattern.cidr import address_of, cidr
from localbus.event_pattern.json_tokenizer import JsonTokens, Token
from localbus.event_pattern.matchers import (
    HIGHEST_NUMBER,
    LOWEST_NUMBER,
    NOT_COMPARABLE,
    FieldMatcher,
    IgnoringCase,
    Matcher,
    NumericRange,
    PrefixOrSuffix,
    has_end,
    is_comparable,
    key_of,
)
from localbus.event_pattern.wildcard import read_wildcards

_ONE_KEY = "Only one key allowed in match expression"
_NOT_A_FOLDED_TEXT = "equals-ignore-case match pattern must be a string"


def read_alternatives(tokens: JsonTokens, start: int) -> FieldMatcher:
    """Read the array of alternatives that begins at offset `start`, up to its end."""
    exact: set[Hashable] = set()
    matchers: list[Matcher] = []
    absent = False
    for token in tokens.until("]"):
        match token.kind:
            case "{":
                matcher = _read_expression(tokens)
                if matcher is None:
                    absent = True
                else:
                    matchers.append(matcher)
            case "string":
                text = tokens.text_of(token)
                exact.add(text)
                address = address_of(text)
                if address is not None:
                    matchers.append(lambda value, address=address: address_of(value) == address)  # type: ignore[misc]
            case "number" | "literal":
                exact.add(key_of(token.value))
            case _:
                raise tokens.error("Match value must be String, number, true, false, or null")
    if not exact and not matchers and not absent:
        raise tokens.error("Empty arrays are not allowed")
    return FieldMatcher(frozenset(exact), tuple(matchers), absent, tokens.source(start))


def _read_expression(tokens: JsonTokens) -> Matcher | None:
    """Read an operator; None stands for {"exists": false}."""
    name = tokens.next()
    if name.kind != "name":
        raise tokens.error("Match expression name not found")
    read = _OPERATORS.get(str(name.value))
    if read is None:
        raise tokens.error(f"Unrecognized match type {name.value}")
    return read(tokens)


def _read_exactly(tokens: JsonTokens) -> Matcher:
    text = _read_text(tokens, tokens.next(), "exact match pattern must be a string")
    return lambda value: value == text


def _read_ignoring_case(tokens: JsonTokens) -> IgnoringCase:
    return IgnoringCase(_read_text(tokens, tokens.next(), _NOT_A_FOLDED_TEXT).lower())


def _read_wildcard(tokens: JsonTokens) -> Matcher:
    [wildcard] = read_wildcards(tokens, [tokens.next()], listed=False)
    tokens.close(_ONE_KEY)
    return wildcard


def _read_cidr(tokens: JsonTokens) -> Matcher:
    return cidr(
        _read_text(tokens, tokens.next(), "prefix match pattern must be a string")
    )  # AWS says "prefix" here too


def _read_exists(tokens: JsonTokens) -> Matcher | None:
    wanted = tokens.next()
    if not isinstance(wanted.value, bool):
        raise tokens.error("exists match pattern must be either true or false.")
    tokens.close(_ONE_KEY)
    return (lambda _value: True) if wanted.value else None


def _read_text(tokens: JsonTokens, token: Token, reason: str) -> str:
    """Read the text of this token and the end of its object."""
    [text] = tokens.texts([token], reason)
    tokens.close(_ONE_KEY)
    return text


def _read_end(tokens: JsonTokens, which: Literal["prefix", "suffix"]) -> Matcher:
    """Read a prefix or suffix, plain or as {"equals-ignore-case": ...}."""
    token = tokens.next()
    if token.kind != "{":
        return PrefixOrSuffix(_read_text(tokens, token, f"{which} match pattern must be a string"), which)
    name = tokens.next()
    if name.kind != "name":
        raise tokens.error(f"{which.capitalize()} expression name not found")
    if name.value != "equals-ignore-case":
        raise tokens.error(f"Unsupported {which} pattern: {name.value}")
    folded = _read_ignoring_case(tokens).folded
    tokens.close(_ONE_KEY)
    return lambda value: isinstance(value, str) and has_end(value.lower(), folded, which)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FROM_BELOW = {operator.gt, operator.ge, operator.eq}
_FROM_ABOVE = {operator.lt, operator.le, operator.eq}


def _read_numeric(tokens: JsonTokens) -> Matcher:
    """Read one comparison, or a lower bound followed by an upper one."""
    if tokens.next().kind != "[":
        raise tokens.error("Value of numeric must be an array.")
    token = tokens.next()
    if token.kind != "string":
        raise tokens.error(f"Invalid member in numeric match: {_shown(token)}")
    first = tokens.text_of(token)
    following = tokens.next()
    if first not in _COMPARISONS:
        raise tokens.error(f"Unrecognized numeric range operator: {first}")
    bounds = [(_COMPARISONS[first], _bound(tokens, following, "equals" if first == "=" else first))]
    token = tokens.next()
    if first in {">", ">="} and token.kind != "]":
        if token.kind != "string":
            raise tokens.error(f"Bad value in numeric range: {_shown(token)}")
        second = tokens.text_of(token)
        if second not in {"<", "<="}:
            raise tokens.error(f"Bad numeric range operator: {second}")
        bounds.append((_COMPARISONS[second], _bound(tokens, tokens.next(), second)))
        if tokens.next().kind != "]":
            raise tokens.error("Too many terms in numeric range expression")
    elif token.kind != "]":
        raise tokens.error("Too many elements in numeric expression")
    if not all(is_comparable(bound) for _, bound in bounds):
        raise tokens.error(NOT_COMPARABLE)
    if len(bounds) == 2 and bounds[0][1] >= bounds[1][1]:
        raise tokens.error("Bottom must be less than top")
    tokens.close("Too many elements in numeric expression")
    low = max((bound for compare, bound in bounds if compare in _FROM_BELOW), default=LOWEST_NUMBER)
    high = min((bound for compare, bound in bounds if compare in _FROM_ABOVE), default=HIGHEST_NUMBER)
    return NumericRange(tuple(bounds), low, high)


def _shown(token: Token) -> str:
    if token.kind == "literal":
        return json.dumps(token.value)
    return token.kind if token.value is None else str(token.value)


def _bound(tokens: JsonTokens, token: Token, what: str) -> float:
    if token.kind != "number":
        raise tokens.error(f"Value of {what} must be numeric")
    return token.value  # type: ignore[return-value]


_OPERATORS: dict[str, Callable[[JsonTokens], Matcher | None]] = {
    "anything-but": read_anything_but,
    "cidr": _read_cidr,
    "equals-ignore-case": _read_ignoring_case,
    "exactly": _read_exactly,
    "exists": _read_exists,
    "numeric": _read_numeric,
    "prefix": lambda tokens: _read_end(tokens, "prefix"),
    "suffix": lambda tokens: _read_end(tokens, "suffix"),
    "wildcard": _read_wildcard,
}

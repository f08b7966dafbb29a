"""What an event pattern can ask of one value: a value of JSON, or an operator such as {"prefix": "a"}.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html, and for what is
refused in which words https://github.com/aws/event-ruler, the open engine behind EventBridge.
"""

from __future__ import annotations

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
    Alternatives,
    End,
    IgnoringCase,
    Span,
    Test,
    has_end,
    is_comparable,
    key_of,
)
from localbus.event_pattern.wildcard import read_wildcards

_ONE_KEY = "Only one key allowed in match expression"


def read_alternatives(tokens: JsonTokens) -> Alternatives:
    """Read the array that says what a field may be, up to its end."""
    exact: set[Hashable] = set()
    tests: list[Test] = []
    absent = False
    while (token := tokens.next()).kind != "]":
        match token.kind:
            case "{":
                test = _read_expression(tokens)
                if test is None:
                    absent = True
                else:
                    tests.append(test)
            case "string":
                text = tokens.text_of(token)
                exact.add(text)
                address = address_of(text)
                if address is not None:
                    tests.append(lambda value, address=address: address_of(value) == address)  # type: ignore[misc]
            case "number" | "literal":
                exact.add(key_of(token.value))
            case _:
                raise tokens.refusal("Match value must be String, number, true, false, or null")
    if not exact and not tests and not absent:
        raise tokens.refusal("Empty arrays are not allowed")
    return Alternatives(frozenset(exact), tuple(tests), absent)


def _read_expression(tokens: JsonTokens) -> Test | None:
    """The test that an operator makes; None for the one that wants the field not to be there."""
    name = tokens.next()
    if name.kind != "name":
        raise tokens.refusal("Match expression name not found")
    read = _OPERATORS.get(str(name.value))
    if read is None:
        raise tokens.refusal(f"Unrecognized match type {name.value}")
    return read(tokens)


def _read_exactly(tokens: JsonTokens) -> Test:
    text = _only_text(tokens, "exact match pattern must be a string")
    return lambda value: value == text


def _read_ignoring_case(tokens: JsonTokens) -> Test:
    return IgnoringCase(_only_text(tokens, "equals-ignore-case match pattern must be a string").lower())


def _read_wildcard(tokens: JsonTokens) -> Test:
    [wildcard] = read_wildcards(tokens, [tokens.next()], listed=False)
    tokens.close(_ONE_KEY)
    return wildcard


def _read_cidr(tokens: JsonTokens) -> Test:
    return cidr(_only_text(tokens, "prefix match pattern must be a string"))  # AWS says "prefix" here too


def _read_exists(tokens: JsonTokens) -> Test | None:
    wanted = tokens.next()
    if not isinstance(wanted.value, bool):
        raise tokens.refusal("exists match pattern must be either true or false.")
    tokens.close(_ONE_KEY)
    return (lambda _value: True) if wanted.value else None


def _only_text(tokens: JsonTokens, reason: str) -> str:
    """The text that is the operator's only operand."""
    token = tokens.next()
    if token.kind != "string":
        raise tokens.refusal(reason)
    text = tokens.text_of(token)
    tokens.close(_ONE_KEY)
    return text


def _read_end(tokens: JsonTokens, which: Literal["prefix", "suffix"]) -> Test:
    """A prefix or a suffix, either of them also as {"equals-ignore-case": ...}."""
    token = tokens.next()
    if token.kind == "{":
        name = tokens.next()
        if name.kind != "name":
            raise tokens.refusal(f"{which.capitalize()} expression name not found")
        if name.value != "equals-ignore-case":
            raise tokens.refusal(f"Unsupported {which} pattern: {name.value}")
        folded = _only_text(tokens, "equals-ignore-case match pattern must be a string").lower()
        tokens.close(_ONE_KEY)
        return lambda value: isinstance(value, str) and has_end(value.lower(), folded, which)
    if token.kind != "string":
        raise tokens.refusal(f"{which} match pattern must be a string")
    text = tokens.text_of(token)
    tokens.close(_ONE_KEY)
    return End(text, which)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


_FROM_BELOW = {operator.gt, operator.ge, operator.eq}
_FROM_ABOVE = {operator.lt, operator.le, operator.eq}


def _read_numeric(tokens: JsonTokens) -> Test:
    """One comparison, or a lower bound and then an upper one."""
    if tokens.next().kind != "[":
        raise tokens.refusal("Value of numeric must be an array.")
    token = tokens.next()
    if token.kind != "string":
        raise tokens.refusal(f"Invalid member in numeric match: {_shown(token)}")
    first = tokens.text_of(token)
    following = tokens.next()
    if first not in _COMPARISONS:
        raise tokens.refusal(f"Unrecognized numeric range operator: {first}")
    bounds = [(_COMPARISONS[first], _bound(tokens, following, "equals" if first == "=" else first))]
    token = tokens.next()
    if first in {">", ">="} and token.kind != "]":
        if token.kind != "string":
            raise tokens.refusal(f"Bad value in numeric range: {_shown(token)}")
        second = tokens.text_of(token)
        if second not in {"<", "<="}:
            raise tokens.refusal(f"Bad numeric range operator: {second}")
        bounds.append((_COMPARISONS[second], _bound(tokens, tokens.next(), second)))
        if tokens.next().kind != "]":
            raise tokens.refusal("Too many terms in numeric range expression")
    elif token.kind != "]":
        raise tokens.refusal("Too many elements in numeric expression")
    if not all(is_comparable(bound) for _, bound in bounds):
        raise tokens.refusal(NOT_COMPARABLE)
    if len(bounds) == 2 and bounds[0][1] >= bounds[1][1]:
        raise tokens.refusal("Bottom must be less than top")
    tokens.close("Too many elements in numeric expression")
    return _span(bounds)


def _span(bounds: list[tuple[Callable[[float, float], bool], float]]) -> Span:
    low = max((bound for compare, bound in bounds if compare in _FROM_BELOW), default=LOWEST_NUMBER)
    high = min((bound for compare, bound in bounds if compare in _FROM_ABOVE), default=HIGHEST_NUMBER)
    return Span(tuple(bounds), low, high)


def _shown(token: Token) -> str:
    return token.kind if token.value is None else str(token.value)


def _bound(tokens: JsonTokens, token: Token, what: str) -> float:
    if token.kind != "number":
        raise tokens.refusal(f"Value of {what} must be numeric")
    return token.value  # type: ignore[return-value]


_OPERATORS: dict[str, Callable[[JsonTokens], Test | None]] = {
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

"""What an event pattern can ask of one value: a value of JSON, or an operator such as {"prefix": "a"}.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html, and for what is
refused in which words https://github.com/aws/event-ruler, the open engine behind EventBridge.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from localbus.json_tokens import JsonTokens, Token, Value, invalid_pattern
from localbus.wildcard import Wildcard, WildcardSyntaxError

LOWEST_NUMBER, HIGHEST_NUMBER = -5e9, 5e9
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_ONE_KEY = "Only one key allowed in match expression"

Test = Callable[[Value], bool]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Alternatives:
    """What one field may be: one of these values, or one that passes a test, or not there at all."""

    exact: frozenset[Hashable]
    tests: tuple[Test, ...]
    absent: bool

    def accepts(self, value: Value) -> bool:
        """Whether a value that is there will do."""
        return key_of(value) in self.exact or any(test(value) for test in self.tests)


def key_of(value: Value) -> Hashable:
    """The value such that only what JSON calls equal is equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, str):
        return value
    return (type(value).__name__ if value is None or isinstance(value, bool) else "number", value)


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
                address = _address(text)
                if address is not None:
                    tests.append(lambda value, address=address: _address(value) == address)  # type: ignore[misc]
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
    folded = _only_text(tokens, "equals-ignore-case match pattern must be a string").lower()
    return lambda value: isinstance(value, str) and value.lower() == folded


def _read_wildcard(tokens: JsonTokens) -> Test:
    wildcard = _wildcard(tokens, tokens.next(), twice=False)
    _close(tokens, _ONE_KEY)
    return lambda value: isinstance(value, str) and wildcard.matches(value)


def _read_cidr(tokens: JsonTokens) -> Test:
    return _cidr(_only_text(tokens, "prefix match pattern must be a string"))  # AWS says "prefix" here too


def _read_exists(tokens: JsonTokens) -> Test | None:
    wanted = tokens.next()
    if not isinstance(wanted.value, bool):
        raise tokens.refusal("exists match pattern must be either true or false.")
    _close(tokens, _ONE_KEY)
    return (lambda _value: True) if wanted.value else None


def _close(tokens: JsonTokens, reason: str) -> None:
    if tokens.next().kind != "}":
        raise tokens.refusal(reason)


def _only_text(tokens: JsonTokens, reason: str) -> str:
    """The text that is the operator's only operand."""
    token = tokens.next()
    if token.kind != "string":
        raise tokens.refusal(reason)
    text = tokens.text_of(token)
    _close(tokens, _ONE_KEY)
    return text


def _read_end(tokens: JsonTokens, which: str) -> Test:
    """A prefix or a suffix, either of them also as {"equals-ignore-case": ...}."""
    token = tokens.next()
    if token.kind == "{":
        name = tokens.next()
        if name.kind != "name":
            raise tokens.refusal(f"{which.capitalize()} expression name not found")
        if name.value != "equals-ignore-case":
            raise tokens.refusal(f"Unsupported {which} pattern: {name.value}")
        folded = _only_text(tokens, "equals-ignore-case match pattern must be a string").lower()
        _close(tokens, _ONE_KEY)
        return lambda value: isinstance(value, str) and _has_end(value.lower(), folded, which)
    if token.kind != "string":
        raise tokens.refusal(f"{which} match pattern must be a string")
    text = tokens.text_of(token)
    _close(tokens, _ONE_KEY)
    return lambda value: isinstance(value, str) and _has_end(value, text, which)


def _has_end(value: str, text: str, which: str) -> bool:
    return value.startswith(text) if which == "prefix" else value.endswith(text)


def _wildcard(tokens: JsonTokens, token: Token, *, twice: bool) -> Wildcard:
    if token.kind != "string":
        raise tokens.refusal("wildcard match pattern must be a string", twice=twice)
    try:
        return Wildcard(tokens.text_of(token))
    except WildcardSyntaxError as exc:
        raise tokens.refusal(str(exc), twice=twice) from exc


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


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
        if bounds[0][1] >= bounds[1][1]:
            raise tokens.refusal("Bottom must be less than top")
        if tokens.next().kind != "]":
            raise tokens.refusal("Too many terms in numeric range expression")
    elif token.kind != "]":
        raise tokens.refusal("Too many elements in numeric expression")
    _close(tokens, "Too many elements in numeric expression")
    return lambda value: is_comparable(value) and all(compare(value, bound) for compare, bound in bounds)  # type: ignore[arg-type]


def _shown(token: Token) -> str:
    return token.kind if token.value is None else str(token.value)


def _bound(tokens: JsonTokens, token: Token, what: str) -> float:
    if token.kind != "number":
        raise tokens.refusal(f"Value of {what} must be numeric")
    if not is_comparable(token.value):
        raise tokens.refusal("Value must be between -5.0E9 and 5.0E9, inclusive")
    return token.value  # type: ignore[return-value]


def is_comparable(value: Value) -> bool:
    """Whether it is a number within the range in which EventBridge compares numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return LOWEST_NUMBER <= value <= HIGHEST_NUMBER


_SINGLE_KINDS = {"[", "string", "number"}


def _read_anything_but(tokens: JsonTokens) -> Test:
    token = tokens.next()
    form = ""
    if token.kind == "{":
        name = tokens.next()
        if name.kind != "name":
            raise tokens.refusal("Anything-But expression name not found")
        form = str(name.value)
        if form not in _UNWANTED:
            raise tokens.refusal(f"Unsupported anything-but pattern: {form}")
        token = tokens.next()
    if token.kind not in _SINGLE_KINDS:
        raise tokens.refusal("Value of anything-but must be an array or single string/number value.")
    listed = token.kind == "["
    values = _listed(tokens) if listed else [token]
    unwanted = _UNWANTED[form](tokens, values, listed) if form else _values(tokens, values, listed)
    _close(tokens, "Too many elements in numeric expression")
    if form:
        _close(tokens, "Too many elements in numeric expression")
    return lambda value: not any(test(value) for test in unwanted)


def _listed(tokens: JsonTokens) -> Iterable[Token]:
    while (token := tokens.next()).kind != "]":
        yield token


def _values(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> list[Test]:
    """Values to keep out: all of them texts, or all of them numbers."""
    keys: set[Hashable] = set()
    kinds: set[str] = set()
    for token in values:
        if token.kind not in {"string", "number"}:
            raise tokens.refusal("Inside anything but list, start|null|boolean is not supported.", twice=listed)
        if token.kind == "string":
            tokens.text_of(token)
        kinds.add(token.kind)
        keys.add(key_of(token.value))
    if len(kinds) != 1:
        reason = "Inside anything but list, either all values are number or string, mixed type is not supported"
        raise tokens.refusal(reason)
    return [lambda value: key_of(value) in keys]


def _ends(which: str) -> Callable[[JsonTokens, Iterable[Token], bool], list[Test]]:
    def read(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> list[Test]:
        ends: list[str] = []
        for token in values:
            if token.kind != "string":
                raise tokens.refusal("prefix/suffix match pattern must be a string", twice=listed)
            ends.append(tokens.text_of(token))
            if not ends[-1]:
                raise tokens.refusal("Null prefix/suffix not allowed", twice=listed)
        return [lambda value: isinstance(value, str) and any(_has_end(value, end, which) for end in ends)]

    return read


def _ignoring_case(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> list[Test]:
    folded: set[str] = set()
    for token in values:
        if token.kind != "string":
            reason = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            raise tokens.refusal(reason, twice=listed)
        folded.add(tokens.text_of(token).lower())
    return [lambda value: isinstance(value, str) and value.lower() in folded]


def _wildcards(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> list[Test]:
    wildcards = [_wildcard(tokens, token, twice=listed) for token in values]
    return [lambda value: isinstance(value, str) and any(wildcard.matches(value) for wildcard in wildcards)]


_UNWANTED: dict[str, Callable[[JsonTokens, Iterable[Token], bool], list[Test]]] = {
    "prefix": _ends("prefix"),
    "suffix": _ends("suffix"),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcards,
}


_OPERATORS: dict[str, Callable[[JsonTokens], Test | None]] = {
    "anything-but": _read_anything_but,
    "cidr": _read_cidr,
    "equals-ignore-case": _read_ignoring_case,
    "exactly": _read_exactly,
    "exists": _read_exists,
    "numeric": _read_numeric,
    "prefix": lambda tokens: _read_end(tokens, "prefix"),
    "suffix": lambda tokens: _read_end(tokens, "suffix"),
    "wildcard": _read_wildcard,
}


def _cidr(text: str) -> Test:
    parts = text.split("/")
    if len(parts) != 2:
        raise invalid_pattern("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", parts[1]):
        raise invalid_pattern("Malformed CIDR, mask bits must be an integer")
    bits = int(parts[1])
    if bits < 0:
        raise invalid_pattern("Malformed CIDR, mask bits must not be negative")
    address = _address(parts[0])
    if address is None:
        raise invalid_pattern(f"Nonstandard IP address: {parts[0]}")
    if bits >= address.max_prefixlen:
        raise invalid_pattern(f"IPv{address.version} mask bits must be < {address.max_prefixlen}")
    network = ipaddress.ip_network((address, bits), strict=False)
    low, high = address, network.broadcast_address  # AWS counts from the address that is given

    def within(value: Value) -> bool:
        found = _address(value)
        return found is not None and found.version == low.version and int(low) <= int(found) <= int(high)

    return within


def _address(value: Value) -> Address | None:
    """The IP address that a text is, if it is one."""
    if not isinstance(value, str) or not (_IPV4.fullmatch(value) or _IPV6.fullmatch(value)):
        return None
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None

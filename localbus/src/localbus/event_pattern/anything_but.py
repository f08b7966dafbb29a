"""The operator anything-but, with values, prefixes, suffixes, wildcards and strings in any case.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from localbus.event_pattern.json_tokenizer import JsonTokens, Token, invalid_pattern
from localbus.event_pattern.matchers import NOT_COMPARABLE, Matcher, has_end, is_comparable, key_of
from localbus.event_pattern.wildcard import read_wildcards

_Reader = Callable[[JsonTokens, Iterable[Token], bool], Matcher]
_SINGLE_KINDS = {"[", "string", "number"}


def read_anything_but(tokens: JsonTokens) -> Matcher:
    """Read the operand of anything-but and the end of its object."""
    token = tokens.next()
    read: _Reader = _read_values
    closings = 1
    if token.kind == "{":
        name = tokens.next()
        if name.kind != "name":
            raise tokens.error("Anything-But expression name not found")
        if name.value not in _READERS:
            raise tokens.error(f"Unsupported anything-but pattern: {name.value}")
        read, closings = _READERS[name.value], 2
        token = tokens.next()
    if token.kind not in _SINGLE_KINDS:
        raise tokens.error("Value of anything-but must be an array or single string/number value.")
    listed = token.kind == "["
    unwanted = read(tokens, tokens.until("]") if listed else [token], listed)
    for _ in range(closings):
        tokens.close("Too many elements in numeric expression")
    return lambda value: not unwanted(value)


def _read_values(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> Matcher:
    """Read excluded values: all of them strings, or all of them numbers."""
    keys: set[Hashable] = set()
    kinds: set[str] = set()
    for token in values:
        if token.kind not in {"string", "number"}:
            raise tokens.error("Inside anything but list, start|null|boolean is not supported.", twice=listed)
        if token.kind == "string":
            tokens.text_of(token)
        elif not is_comparable(token.value):
            raise tokens.error(NOT_COMPARABLE) if listed else invalid_pattern(NOT_COMPARABLE)
        kinds.add(token.kind)
        keys.add(key_of(token.value))
    if len(kinds) != 1:
        reason = "Inside anything but list, either all values are number or string, mixed type is not supported"
        raise tokens.error(reason)
    return lambda value: key_of(value) in keys


def _read_ends(which: str) -> _Reader:
    def read(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> Matcher:
        ends: list[str] = []
        for text in tokens.texts(values, "prefix/suffix match pattern must be a string", twice=listed):
            if not text:
                raise tokens.error("Null prefix/suffix not allowed", twice=listed)
            ends.append(text)
        return lambda value: isinstance(value, str) and any(has_end(value, end, which) for end in ends)

    return read


def _read_ignoring_case(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> Matcher:
    reason = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
    folded = {text.lower() for text in tokens.texts(values, reason, twice=listed)}
    return lambda value: isinstance(value, str) and value.lower() in folded


def _read_wildcards(tokens: JsonTokens, values: Iterable[Token], listed: bool) -> Matcher:
    wildcards = read_wildcards(tokens, values, listed=listed)
    return lambda value: any(matches(value) for matches in wildcards)


_READERS: dict[object, _Reader] = {
    "prefix": _read_ends("prefix"),
    "suffix": _read_ends("suffix"),
    "equals-ignore-case": _read_ignoring_case,
    "wildcard": _read_wildcards,
}

"""The operator anything-but: values, beginnings, endings, wildcards and texts in any case that a field must not be.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from localbus.event_pattern.json_tokenizer import JsonTokens, Token, invalid_pattern
from localbus.event_pattern.matchers import NOT_COMPARABLE, Test, has_end, is_comparable, key_of
from localbus.event_pattern.wildcard import read_wildcards

_SINGLE_KINDS = {"[", "string", "number"}


def read_anything_but(tokens: JsonTokens) -> Test:
    """Read the operand of anything-but and the end of its object."""
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
    tokens.close("Too many elements in numeric expression")
    if form:
        tokens.close("Too many elements in numeric expression")
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
        elif not is_comparable(token.value):
            raise tokens.refusal(NOT_COMPARABLE) if listed else invalid_pattern(NOT_COMPARABLE)
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
        return [lambda value: isinstance(value, str) and any(has_end(value, end, which) for end in ends)]

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
    wildcards = read_wildcards(tokens, values, listed=listed)
    return [lambda value: isinstance(value, str) and any(wildcard.matches(value) for wildcard in wildcards)]


_UNWANTED: dict[str, Callable[[JsonTokens, Iterable[Token], bool], list[Test]]] = {
    "prefix": _ends("prefix"),
    "suffix": _ends("suffix"),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcards,
}

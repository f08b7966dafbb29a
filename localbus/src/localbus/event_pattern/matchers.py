"""Matchers for the value of one field, and the equality of JSON values.

A matcher is a function of a value. Those that `field_index` can look up are classes with the text or numbers they need.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Literal

from localbus.event_pattern.json_tokenizer import Value

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html ("Numeric matching")
LOWEST_NUMBER, HIGHEST_NUMBER = -5e9, 5e9
NOT_COMPARABLE = "Value must be between -5.0E9 and 5.0E9, inclusive"

Matcher = Callable[[Value], bool]


@dataclass(frozen=True)
class FieldMatcher:
    """The alternatives for one field: an exact value, a value that a matcher accepts, or the field's absence."""

    exact: frozenset[Hashable]
    matchers: tuple[Matcher, ...]
    absent: bool
    source: str = field(compare=False)  # the JSON array of the pattern

    @property
    def has_wildcard(self) -> bool:
        """True if an alternative is {"wildcard": ...}, or anything but that."""
        given = [one for one in json.loads(self.source) if isinstance(one, dict)]
        excluded = [one["anything-but"] for one in given if isinstance(one.get("anything-but"), dict)]
        return any("wildcard" in one for one in (*given, *excluded))

    def accepts(self, value: Value) -> bool:
        """Return whether a value that is present matches."""
        return key_of(value) in self.exact or any(matches(value) for matches in self.matchers)


def key_of(value: Value) -> Hashable:
    """A key that is equal for equal JSON values only: 1 equals 1.0 but not true."""
    if isinstance(value, str):
        return value
    return (type(value).__name__ if value is None or isinstance(value, bool) else "number", value)


@dataclass(frozen=True)
class PrefixOrSuffix:
    """A string with this prefix or suffix."""

    text: str
    which: Literal["prefix", "suffix"]

    def __call__(self, value: Value) -> bool:
        """Return whether the value is such a string."""
        return isinstance(value, str) and has_end(value, self.text, self.which)


@dataclass(frozen=True)
class IgnoringCase:
    """A string that equals this one in lower case."""

    folded: str

    def __call__(self, value: Value) -> bool:
        """Return whether the value is that string."""
        return isinstance(value, str) and value.lower() == self.folded


@dataclass(frozen=True)
class NumericRange:
    """A number that passes all comparisons and therefore lies between `low` and `high`, inclusive."""

    comparisons: tuple[tuple[Callable[[float, float], bool], float], ...]
    low: float
    high: float

    def __call__(self, value: Value) -> bool:
        """Return whether the value is such a number."""
        return is_comparable(value) and all(compare(value, bound) for compare, bound in self.comparisons)  # type: ignore[arg-type]


def is_comparable(value: Value) -> bool:
    """Return whether the value is a number in the range that EventBridge compares."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return LOWEST_NUMBER <= value <= HIGHEST_NUMBER


def has_end(value: str, text: str, which: str) -> bool:
    """Return whether a string has this prefix or suffix; `which` says which of them."""
    return value.startswith(text) if which == "prefix" else value.endswith(text)

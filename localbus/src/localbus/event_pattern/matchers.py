"""What one field of an event may be, and when two values of JSON are the same.

A test is a function of a value. Those that `field_index` can look up are objects that say what they look for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from localbus.event_pattern.json_tokenizer import Value

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html ("Numeric matching")
LOWEST_NUMBER, HIGHEST_NUMBER = -5e9, 5e9
NOT_COMPARABLE = "Value must be between -5.0E9 and 5.0E9, inclusive"

Test = Callable[[Value], bool]


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


@dataclass(frozen=True)
class End:
    """A text with this beginning or ending."""

    text: str
    which: Literal["prefix", "suffix"]

    def __call__(self, value: Value) -> bool:
        """Whether the value is such a text."""
        return isinstance(value, str) and has_end(value, self.text, self.which)


@dataclass(frozen=True)
class IgnoringCase:
    """This text in any case."""

    folded: str

    def __call__(self, value: Value) -> bool:
        """Whether the value is that text."""
        return isinstance(value, str) and value.lower() == self.folded


@dataclass(frozen=True)
class Span:
    """A number that passes these comparisons, so that it is from `low` to `high`."""

    comparisons: tuple[tuple[Callable[[float, float], bool], float], ...]
    low: float
    high: float

    def __call__(self, value: Value) -> bool:
        """Whether the value is such a number."""
        return is_comparable(value) and all(compare(value, bound) for compare, bound in self.comparisons)  # type: ignore[arg-type]


def is_comparable(value: Value) -> bool:
    """Whether it is a number within the range in which EventBridge compares numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return LOWEST_NUMBER <= value <= HIGHEST_NUMBER


def has_end(value: str, text: str, which: str) -> bool:
    """Whether a text begins with this prefix, or ends with this suffix."""
    return value.startswith(text) if which == "prefix" else value.endswith(text)

"""What one field of an event may be, and when two values of JSON are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from localbus.json_tokens import Value

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html ("Numeric matching")
LOWEST_NUMBER, HIGHEST_NUMBER = -5e9, 5e9

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


def is_comparable(value: Value) -> bool:
    """Whether it is a number within the range in which EventBridge compares numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return LOWEST_NUMBER <= value <= HIGHEST_NUMBER


def has_end(value: str, text: str, which: str) -> bool:
    """Whether a text begins with this prefix, or ends with this suffix."""
    return value.startswith(text) if which == "prefix" else value.endswith(text)

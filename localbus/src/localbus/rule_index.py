"""Which rules an event may match: each rule stands under a value that it wants, so most are never looked at.

A branch of a pattern that wants one of certain values in a field (`"source": ["orders"]`) can only hold for an event
with one of these values there. Every branch stands under the values of that field by which it can be told from the
most others; a branch that wants no certain value anywhere is looked at for each event. A lookup costs one step for each
field that any branch stands under, whatever the number of rules.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from localbus.event_pattern import Branch, EventPattern, Fields, holds
from localbus.pattern_values import key_of

_MOST_VALUES = 100

Rule = TypeVar("Rule", bound=Hashable)
Key = tuple[str, Hashable]


class RuleIndex(Generic[Rule]):
    """Rules by what they want."""

    def __init__(self) -> None:
        self._by_value: dict[str, dict[Hashable, list[tuple[Branch, Rule]]]] = {}
        self._unsorted: list[tuple[Branch, Rule]] = []
        self._keys: dict[Rule, list[Key]] = {}

    def add(self, rule: Rule, pattern: EventPattern) -> None:
        """Take in a rule; it must not be there."""
        keys = self._keys[rule] = []
        for branch in pattern.branches:
            best = self._best_field(branch)
            if best is None:
                self._unsorted.append((branch, rule))
                continue
            path, values = best
            for value in values:
                self._by_value.setdefault(path, {}).setdefault(value, []).append((branch, rule))
                keys.append((path, value))

    def remove(self, rule: Rule) -> None:
        """Take out a rule, if it is there."""
        for path, value in self._keys.pop(rule, []):
            values = self._by_value.get(path, {})
            left = [entry for entry in values.get(value, []) if entry[1] != rule]
            if left:
                values[value] = left
            elif value in values:
                del values[value]
                if not values:
                    del self._by_value[path]
        self._unsorted = [entry for entry in self._unsorted if entry[1] != rule]

    def candidates(self, fields: Fields) -> Iterator[tuple[Branch, Rule]]:
        """The branches that an event of these fields may satisfy."""
        for path, values in self._by_value.items():
            for value in {key_of(value) for value, _ in fields.get(path, ())}:
                yield from values.get(value, ())
        yield from self._unsorted

    def matching(self, fields: Fields) -> list[Rule]:
        """The rules that an event of these fields matches, each once."""
        found: dict[Rule, None] = {}
        for branch, rule in self.candidates(fields):
            if rule not in found and holds(branch, fields):
                found[rule] = None
        return list(found)

    def _best_field(self, branch: Branch) -> tuple[str, frozenset[Hashable]] | None:
        """The field under whose values the fewest branches stand so far; between equals the one with fewer values."""
        best: tuple[tuple[int, int, bool], str, frozenset[Hashable]] | None = None
        for path, wanted in branch:
            if wanted.tests or wanted.absent or len(wanted.exact) > _MOST_VALUES:
                continue
            values = self._by_value.get(path, {})
            shared = sum(len(values.get(value, ())) for value in wanted.exact)
            rank = (shared, len(wanted.exact), path not in self._by_value)
            if best is None or rank < best[0]:
                best = (rank, path, wanted.exact)
        return (best[1], best[2]) if best else None

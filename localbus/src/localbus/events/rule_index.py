"""Index of the rules of a bus, so that an event is matched against few of them.

A branch of a pattern that requires a value (`"source": ["orders"]`) can match only events with that value. Each branch
is indexed by its most selective field; one whose fields may all be absent is matched against every event. The cost of a
lookup depends on the number of indexed fields, not on the number of rules. Events are flattened to the fields that some
rule uses.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from localbus.event_pattern.pattern import Branch, EventPattern, Fields, fields_of, holds, with_ancestors
from localbus.events.field_index import FieldIndex, is_unindexable, keys_of

_MOST_KEYS = 100

Rule = TypeVar("Rule", bound=Hashable)


class RuleIndex(Generic[Rule]):
    """Rules by their event patterns."""

    def __init__(self) -> None:
        self._by_field: dict[str, FieldIndex[tuple[Branch, Rule]]] = {}
        self._unindexed: list[tuple[Branch, Rule]] = []
        self._branches: dict[Rule, list[tuple[Branch, str | None]]] = {}  # with the field that each is indexed by
        self._needed: frozenset[str] | None = None

    def add(self, rule: Rule, pattern: EventPattern) -> None:
        """Add a rule that is not in the index."""
        indexed = self._branches[rule] = []
        for branch in pattern.branches:
            path = self._best_field(branch)
            indexed.append((branch, path))
            if path is None:
                self._unindexed.append((branch, rule))
            else:
                self._by_field.setdefault(path, FieldIndex()).add((branch, rule), dict(branch)[path])
        self._needed = None

    def remove(self, rule: Rule) -> None:
        """Remove a rule, if it is in the index."""
        for branch, path in self._branches.pop(rule, []):
            if path is None:
                self._unindexed.remove((branch, rule))
                continue
            index = self._by_field.get(path)
            if index is None:  # ranges of equal branches went together with the first
                continue
            index.remove((branch, rule), dict(branch)[path])
            if not index:
                del self._by_field[path]
        self._needed = None

    def flatten(self, event: Mapping[str, Any]) -> Fields:
        """Return the fields of an event that some rule uses."""
        if self._needed is None:
            branches = (branch for indexed in self._branches.values() for branch, _ in indexed)
            self._needed = with_ancestors({path for branch in branches for path, _ in branch})
        return fields_of(event, self._needed)

    def candidates(self, fields: Fields) -> Iterator[tuple[Branch, Rule]]:
        """Yield the branches that an event with these fields may match."""
        for path, index in self._by_field.items():
            for value, _ in fields.get(path, ()):
                yield from index.find(value)
        yield from self._unindexed

    def matching(self, fields: Fields) -> list[Rule]:
        """Return the rules that an event with these fields matches, each once."""
        found: dict[Rule, None] = {}
        for branch, rule in self.candidates(fields):
            if rule not in found and holds(branch, fields):
                found[rule] = None
        return list(found)

    def _best_field(self, branch: Branch) -> str | None:
        """Return the most selective field, and of equal ones the cheapest to look up."""
        best: tuple[tuple[bool, int, bool, int, bool], str] | None = None
        for path, matcher in branch:
            keys = keys_of(matcher)
            if matcher.absent or len(keys) > _MOST_KEYS:
                continue
            index = self._by_field.get(path)
            selectivity = index.selectivity(matcher) if index is not None else 0
            rank = (is_unindexable(matcher), selectivity, bool(matcher.matchers), len(keys), index is None)
            if best is None or rank < best[0]:
                best = (rank, path)
        return best[1] if best else None

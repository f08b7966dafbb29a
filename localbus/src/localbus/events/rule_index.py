"""Which rules an event may match: each rule stands under something that it wants, so most are never looked at.

A branch of a pattern that wants something in a field (`"source": ["orders"]`) can only hold for an event that has it
there. Every branch stands in the index of the field by which it can be told from the most others; a branch all of whose
fields may be absent is looked at for each event. A lookup costs some steps for each field that any branch stands under,
whatever the number of rules. Of an event only those fields are opened that any rule asks about.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from localbus.event_pattern.matchers import FieldMatcher
from localbus.event_pattern.pattern import Branch, EventPattern, Fields, fields_of, holds, with_ancestors
from localbus.events.field_index import FieldIndex, is_open, keys_of

_MOST_KEYS = 100

Rule = TypeVar("Rule", bound=Hashable)


class RuleIndex(Generic[Rule]):
    """Rules by what they want."""

    def __init__(self) -> None:
        self._by_field: dict[str, FieldIndex[tuple[Branch, Rule]]] = {}
        self._unsorted: list[tuple[Branch, Rule]] = []
        self._branches: dict[Rule, list[tuple[Branch, str | None]]] = {}
        self._asked: frozenset[str] | None = None

    def add(self, rule: Rule, pattern: EventPattern) -> None:
        """Take in a rule; it must not be there."""
        places = self._branches[rule] = []
        for branch in pattern.branches:
            path = self._best_field(branch)
            places.append((branch, path))
            if path is None:
                self._unsorted.append((branch, rule))
            else:
                self._by_field.setdefault(path, FieldIndex()).add((branch, rule), _wanted(branch, path))
        self._asked = None

    def remove(self, rule: Rule) -> None:
        """Take out a rule, if it is there."""
        for branch, path in self._branches.pop(rule, []):
            if path is None:
                self._unsorted.remove((branch, rule))
                continue
            index = self._by_field[path]
            index.remove((branch, rule), _wanted(branch, path))
            if not index:
                del self._by_field[path]
        self._asked = None

    def open(self, event: Mapping[str, Any]) -> Fields:
        """The fields of an event that any of these rules asks about."""
        if self._asked is None:
            branches = (branch for places in self._branches.values() for branch, _ in places)
            self._asked = with_ancestors({path for branch in branches for path, _ in branch})
        return fields_of(event, self._asked)

    def candidates(self, fields: Fields) -> Iterator[tuple[Branch, Rule]]:
        """The branches that an event of these fields may satisfy."""
        for path, index in self._by_field.items():
            for value, _ in fields.get(path, ()):
                yield from index.find(value)
        yield from self._unsorted

    def matching(self, fields: Fields) -> list[Rule]:
        """The rules that an event of these fields matches, each once."""
        found: dict[Rule, None] = {}
        for branch, rule in self.candidates(fields):
            if rule not in found and holds(branch, fields):
                found[rule] = None
        return list(found)

    def _best_field(self, branch: Branch) -> str | None:
        """The field in whose index the branch stands among the fewest; between equals what is looked up most easily."""
        best: tuple[tuple[bool, int, bool, int, bool], str] | None = None
        for path, wanted in branch:
            keys = keys_of(wanted)
            if wanted.absent or len(keys) > _MOST_KEYS:
                continue
            index = self._by_field.get(path)
            crowd = index.crowd(wanted) if index is not None else 0
            rank = (is_open(wanted), crowd, bool(wanted.matchers), len(keys), index is None)
            if best is None or rank < best[0]:
                best = (rank, path)
        return best[1] if best else None


def _wanted(branch: Branch, path: str) -> FieldMatcher:
    return next(wanted for name, wanted in branch if name == path)

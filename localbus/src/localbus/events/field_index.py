"""Index of patterns by the value of one field. Lookups may return false positives, never false negatives.

An entry is indexed by its exact values, prefixes, suffixes and numeric ranges. One that cannot be looked up, such as
anything but a value, is returned for every value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, TypeVar

from localbus.event_pattern.json_tokenizer import Value
from localbus.event_pattern.matchers import (
    FieldMatcher,
    IgnoringCase,
    Matcher,
    NumericRange,
    PrefixOrSuffix,
    is_comparable,
    key_of,
)
from localbus.event_pattern.wildcard import Wildcard

Entry = TypeVar("Entry")
Key = tuple[str, Hashable]
Interval = tuple[float, float, Entry]  # low and high, both inclusive

_ANY: Key = ("any", None)


def keys_of(matcher: FieldMatcher) -> set[Key]:
    """Return the keys that an entry is indexed by, besides numeric ranges."""
    return {("is", value) for value in matcher.exact} | {
        _key_of_matcher(one) for one in matcher.matchers if not isinstance(one, NumericRange)
    }


def _key_of_matcher(matcher: Matcher) -> Key:
    match matcher:
        case PrefixOrSuffix():
            return (matcher.which, matcher.text)
        case IgnoringCase():
            return ("folded", matcher.folded)
        case Wildcard() if matcher.first:
            return ("prefix", matcher.first)
        case Wildcard() if matcher.last:
            return ("suffix", matcher.last)
    return _ANY


def is_unindexable(matcher: FieldMatcher) -> bool:
    """Return whether an entry would be returned for every value."""
    return _ANY in keys_of(matcher)


def _ranges_of(matcher: FieldMatcher) -> list[NumericRange]:
    return [one for one in matcher.matchers if isinstance(one, NumericRange)]


class FieldIndex(Generic[Entry]):
    """Entries by their matchers for one field."""

    def __init__(self) -> None:
        self._by_key: dict[Key, list[Entry]] = {}
        self._lengths: dict[str, Counter[int]] = {"prefix": Counter(), "suffix": Counter()}
        self._ranges: IntervalTree[Entry] = IntervalTree()

    def __bool__(self) -> bool:
        return bool(self._by_key or self._ranges)

    def add(self, entry: Entry, matcher: FieldMatcher) -> None:
        """Add an entry."""
        for key in keys_of(matcher):
            self._by_key.setdefault(key, []).append(entry)
            if key[0] in self._lengths:
                self._lengths[key[0]][len(str(key[1]))] += 1
        for one in _ranges_of(matcher):
            self._ranges.add(one.low, one.high, entry)

    def remove(self, entry: Entry, matcher: FieldMatcher) -> None:
        """Remove an entry that was added with this matcher."""
        for key in keys_of(matcher):
            self._by_key[key].remove(entry)
            if not self._by_key[key]:
                del self._by_key[key]
            if key[0] in self._lengths:
                self._lengths[key[0]] -= Counter([len(str(key[1]))])
        if _ranges_of(matcher):
            self._ranges.remove(entry)

    def selectivity(self, matcher: FieldMatcher) -> int:
        """Count the entries that share a key or a range with this matcher: the fewer, the more selective it is."""
        same_keys = sum(len(self._by_key.get(key, ())) for key in keys_of(matcher))
        return same_keys + sum(self._ranges.overlapping(one.low, one.high) for one in _ranges_of(matcher))

    def find(self, value: Value) -> Iterator[Entry]:
        """Yield the entries that may accept the value."""
        by_key = self._by_key
        yield from by_key.get(("is", key_of(value)), ())
        yield from by_key.get(_ANY, ())
        if isinstance(value, str):
            for length in self._lengths["prefix"]:
                yield from by_key.get(("prefix", value[:length]), ())
            for length in self._lengths["suffix"]:
                yield from by_key.get(("suffix", value[-length:] if length else ""), ())
            yield from by_key.get(("folded", value.lower()), ())
        elif self._ranges and is_comparable(value):
            yield from self._ranges.containing(float(value or 0))


@dataclass(frozen=True)
class _Node(Generic[Entry]):
    center: float
    by_low: Sequence[Interval[Entry]]
    by_high: Sequence[Interval[Entry]]
    below: _Node[Entry] | None
    above: _Node[Entry] | None


class IntervalTree(Generic[Entry]):
    """Entries by intervals of numbers: a centered interval tree, which finds the intervals that contain a number.

    A node holds the intervals that contain its center, and has a child for those below and one for those above. A
    lookup follows one path from the root and visits at most one non-matching interval a node. The first lookup after
    a change rebuilds the tree.
    Source: https://en.wikipedia.org/wiki/Interval_tree#Centered_interval_tree
    """

    def __init__(self) -> None:
        self._intervals: list[Interval[Entry]] = []
        self._root: _Node[Entry] | None = None
        self._is_stale = False

    def __len__(self) -> int:
        return len(self._intervals)

    def add(self, low: float, high: float, entry: Entry) -> None:
        """Add an interval of an entry."""
        self._intervals.append((low, high, entry))
        self._is_stale = True

    def remove(self, entry: Entry) -> None:
        """Remove all intervals of an entry."""
        self._intervals = [interval for interval in self._intervals if interval[2] != entry]
        self._is_stale = True

    def overlapping(self, low: float, high: float) -> int:
        """Count the intervals that have a number in common with this one."""
        return sum(other_low <= high and low <= other_high for other_low, other_high, _ in self._intervals)

    def containing(self, number: float) -> Iterator[Entry]:
        """Yield the entries whose intervals contain the number."""
        if self._is_stale:
            self._root, self._is_stale = _build(self._intervals), False
        node = self._root
        while node is not None:
            if number < node.center:
                for low, _, entry in node.by_low:
                    if low > number:
                        break
                    yield entry
                node = node.below
            else:
                for _, high, entry in node.by_high:
                    if high < number:
                        break
                    yield entry
                node = node.above


def _build(intervals: Sequence[Interval[Entry]]) -> _Node[Entry] | None:
    if not intervals:
        return None
    by_low = sorted(intervals, key=itemgetter(0))
    center = by_low[len(by_low) // 2][0]
    around = [one for one in by_low if one[0] <= center <= one[1]]
    return _Node(
        center,
        around,
        sorted(around, key=itemgetter(1), reverse=True),
        _build([one for one in by_low if one[1] < center]),
        _build([one for one in by_low if one[0] > center]),
    )

"""A centered interval tree, which finds the intervals that contain a number.

A node holds the intervals that contain its center, and has a child for those below and one for those above. A lookup
follows one path from the root and visits at most one non-matching interval a node. The first lookup after a change
rebuilds the tree.
Source: https://en.wikipedia.org/wiki/Interval_tree#Centered_interval_tree
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Interval = tuple[float, float, Entry]  # low and high, both inclusive


@dataclass(frozen=True)
class _Node(Generic[Entry]):
    center: float
    by_low: Sequence[Interval[Entry]]
    by_high: Sequence[Interval[Entry]]
    below: _Node[Entry] | None
    above: _Node[Entry] | None


class IntervalTree(Generic[Entry]):
    """Entries by intervals of numbers."""

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

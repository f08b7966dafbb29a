"""Spans of numbers, found by a number that lies in them: a centered interval tree.

A node holds the spans around its center; those wholly below it and those wholly above it are in its two branches. A
lookup goes down one branch at each node, and looks at no span in vain but one a node. The tree is made anew at the
first lookup after a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Held = tuple[float, float, Entry]  # the lowest and the highest number, both of which belong to it


@dataclass(frozen=True)
class _Node(Generic[Entry]):
    center: float
    by_low: Sequence[Held[Entry]]
    by_high: Sequence[Held[Entry]]
    below: _Node[Entry] | None
    above: _Node[Entry] | None


class Spans(Generic[Entry]):
    """Entries by the spans that they want a number in."""

    def __init__(self) -> None:
        self._held: list[Held[Entry]] = []
        self._root: _Node[Entry] | None = None
        self._is_stale = False

    def __len__(self) -> int:
        return len(self._held)

    def add(self, low: float, high: float, entry: Entry) -> None:
        """Take in an entry."""
        self._held.append((low, high, entry))
        self._is_stale = True

    def remove(self, entry: Entry) -> None:
        """Take out every span of the entry."""
        self._held = [held for held in self._held if held[2] != entry]
        self._is_stale = True

    def crossing(self, low: float, high: float) -> int:
        """How many spans have a number in common with this one."""
        return sum(other_low <= high and low <= other_high for other_low, other_high, _ in self._held)

    def around(self, number: float) -> Iterator[Entry]:
        """The entries in whose spans the number lies."""
        if self._is_stale:
            self._root, self._is_stale = _tree(self._held), False
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


def _tree(held: Sequence[Held[Entry]]) -> _Node[Entry] | None:
    if not held:
        return None
    by_low = sorted(held, key=itemgetter(0))
    center = by_low[len(by_low) // 2][0]
    around = [one for one in by_low if one[0] <= center <= one[1]]
    return _Node(
        center,
        around,
        sorted(around, key=itemgetter(1), reverse=True),
        _tree([one for one in by_low if one[1] < center]),
        _tree([one for one in by_low if one[0] > center]),
    )

"""A projection: the parts of an item at some paths, nested as in the item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localbus.dynamodb.expressions.syntax import AttributeValue, Item, Path, check_overlap

_Tree = dict[str | int, Any]
"""Steps with the trees below them; an empty tree stands for the whole value."""


class Projection:
    """Paths, which must not overlap. Raises ExpressionError if they do."""

    def __init__(self, paths: Iterable[Path]) -> None:
        paths = list(paths)
        check_overlap(paths)
        self._tree: _Tree = {}
        for path in paths:
            tree = self._tree
            for step in path.steps:
                tree = tree.setdefault(step, {})

    @property
    def names(self) -> set[str]:
        """The top-level attributes in the projection."""
        return {str(name) for name in self._tree}

    def apply(self, item: Item) -> Item:
        """Return the parts of an item that it has. Elements of a list come together, in their order."""
        if not self._tree:
            return {}
        projected: Item = (_part({"M": item}, self._tree) or {"M": {}})["M"]
        return projected


def _part(value: AttributeValue, tree: _Tree) -> AttributeValue | None:
    if not tree:
        return value
    ((kind, content),) = value.items()
    if kind == "M":
        members = {name: _part(content[name], tree[name]) for name in tree if name in content}
        kept: Any = {name: member for name, member in members.items() if member is not None}
    elif kind == "L":
        indexes = sorted(index for index in tree if isinstance(index, int) and index < len(content))
        elements = [_part(content[index], tree[index]) for index in indexes]
        kept = [element for element in elements if element is not None]
    else:
        kept = None
    return {kind: kept} if kept else None

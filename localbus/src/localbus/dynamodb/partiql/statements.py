"""The parts of parsed statements. A parameter is a Reference whose name is its place, such as `?0`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from localbus.dynamodb.expressions.parser import Action
from localbus.dynamodb.expressions.syntax import AttributeValue, Node, Path


@dataclass(frozen=True)
class Insert:
    """INSERT INTO a table, with attributes that are literals or the places of parameters."""

    table: str
    members: tuple[tuple[str, AttributeValue | int], ...]

    @cached_property
    def names_size(self) -> int:
        """The bytes of the attributes' names."""
        return sum(len(name.encode()) for name, _ in self.members)


@dataclass(frozen=True)
class Select:
    """SELECT of all attributes (None) or of some paths. `order` has attributes, each with whether it ascends."""

    paths: tuple[Path, ...] | None
    table: str
    index: str | None
    where: Node | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Update:
    """UPDATE of one item. `returning` is such as `ALL_OLD` or `UPDATED_NEW`, or NONE."""

    table: str
    actions: tuple[Action, ...]
    where: Node | None
    returning: str


@dataclass(frozen=True)
class Delete:
    """DELETE of one item."""

    table: str
    where: Node | None
    returning: str


@dataclass(frozen=True)
class Exists:
    """EXISTS(SELECT ...): a condition check of a transaction."""

    table: str
    where: Node | None


Statement = Insert | Select | Update | Delete | Exists

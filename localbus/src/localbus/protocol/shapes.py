"""The types of a service's model, with their constraints and their names on the wire.

botocore has the models, and classes for them. Those take 60 ms and 5 MB to import, as they come with its HTTP client.
Source: https://smithy.io/2.0/spec/aggregate-types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

Traits = Mapping[str, Any]


class Shape:
    """A type, or a member of that type, whose own traits come before those of the type.

    `traits` are those of botocore's file: min, max, pattern, enum, required, locationName, flattened and so on.
    """

    def __init__(self, name: str, traits: Traits, shapes: Mapping[str, Traits]) -> None:
        self.name = name
        self.type_name: str = traits["type"]
        self.traits = traits
        self._shapes = shapes

    def wire_name(self, default: str) -> str:
        """Return the name in a form, in XML or in a path, if it is not the default."""
        name: str = self.traits.get("locationName", default)
        return name

    def _inner(self, member: str) -> Shape:
        return shape_of(self.traits[member], self._shapes)


class StructureShape(Shape):
    """A structure, or a union."""

    @cached_property
    def members(self) -> dict[str, Shape]:
        """The members by name, in the order of the model."""
        members = self.traits.get("members", {})
        return {name: shape_of(reference, self._shapes) for name, reference in members.items()}

    @cached_property
    def required_members(self) -> list[str]:
        """The names of the members that a value must have."""
        names: list[str] = self.traits.get("required", [])
        return names


class ListShape(Shape):
    """A list."""

    @cached_property
    def member(self) -> Shape:
        """The type of its items."""
        return self._inner("member")


class MapShape(Shape):
    """A map."""

    @cached_property
    def key(self) -> Shape:
        """The type of its keys."""
        return self._inner("key")

    @cached_property
    def value(self) -> Shape:
        """The type of its values."""
        return self._inner("value")


_CLASSES: dict[str, type[Shape]] = {"structure": StructureShape, "list": ListShape, "map": MapShape}


def shape_of(reference: Traits, shapes: Mapping[str, Traits]) -> Shape:
    """Return the type of a reference: `{"shape": NAME}`, and the traits of the member that has it."""
    name = reference["shape"]
    traits = {**shapes[name], **reference} if len(reference) > 1 else shapes[name]
    return _CLASSES.get(traits["type"], Shape)(name, traits, shapes)

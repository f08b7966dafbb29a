"""Breaking changes of a schema, and the consumers that they affect (consumers.yaml).

After a change of a schema, old consumers read new documents, as services are not upgraded all at once; and new
consumers read old documents, as messages wait in queues, dead-letter queues and the archive. A change is breaking if
either cannot read the document. A document that does not fit its model is rejected as a whole, which affects every
consumer of that type; a removed optional field affects only those that read it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]
Consumers = Mapping[str, Mapping[str, list[str]]]

# Structure is compared member by member; annotations do not affect readers.
_STRUCTURE: Final = frozenset(("properties", "required", "items", "anyOf", "type", "enum", "const", "$ref", "$defs"))
_ANNOTATIONS: Final = frozenset(("title", "description", "default", "examples", "$schema", "deprecated"))


@dataclass(frozen=True)
class Change:
    """A breaking change at a path of the document. `refused`: the whole document is rejected because of it."""

    path: str
    what: str
    refused: bool = True


@dataclass(frozen=True)
class Break:
    """A breaking change of a type of document, with the consumers that it affects."""

    document_type: str
    change: Change
    hurts: tuple[str, ...]

    def __str__(self) -> str:
        whom = ", ".join(self.hurts) or "no consumer that is named in consumers.yaml"
        return f"{self.document_type}: {self.change.path} {self.change.what}; hurts {whom}"


def breaks(old: Mapping[str, Schema], new: Mapping[str, Schema], consumers: Consumers) -> list[Break]:
    """Return every breaking change between two sets of schemas (type -> schema). New types break nothing."""
    return [
        Break(document_type, change, _hurt_by(change, document_type, consumers))
        for document_type, schema in old.items()
        for change in (
            changes(schema, new[document_type])
            if document_type in new
            else [Change("the whole document", "is gone, and earlier ones may still wait somewhere")]
        )
    ]


def _hurt_by(change: Change, document_type: str, consumers: Consumers) -> tuple[str, ...]:
    return tuple(
        name
        for name, reads in consumers.items()
        if document_type in reads
        and (change.refused or any(_same_part(change.path, path) for path in reads[document_type]))
    )


def _same_part(path: str, other: str) -> bool:
    parts, other_parts = path.split("."), other.split(".")
    shared = min(len(parts), len(other_parts))
    return parts[:shared] == other_parts[:shared]


def changes(old: Schema, new: Schema) -> list[Change]:
    """Return every breaking change between two versions of a schema."""
    return list(_compared("", _Node(old, old), _Node(new, new)))


@dataclass(frozen=True)
class _Node:
    """A part of a schema, with the whole schema for its references."""

    here: Schema
    root: Schema

    def at(self, part: Schema) -> "_Node":
        return _Node(part, self.root)

    def alternatives(self) -> dict[str, "_Node"]:
        """Return the allowed alternatives by JSON type."""
        if "$ref" in self.here:
            return self.at(self.root["$defs"][self.here["$ref"].removeprefix("#/$defs/")]).alternatives()
        if "anyOf" in self.here:
            found: dict[str, _Node] = {}
            for choice in self.here["anyOf"]:
                found |= self.at(choice).alternatives()
            return found
        return {self.here.get("type", "anything"): self}

    def values(self) -> tuple[object, ...] | None:
        """Return the allowed values; None for any."""
        return (
            (self.here["const"],) if "const" in self.here else tuple(self.here["enum"]) if "enum" in self.here else None
        )

    def properties(self) -> Mapping[str, Schema]:
        properties: Mapping[str, Schema] = self.here.get("properties", {})
        return properties

    def needs(self, name: str) -> bool:
        """True if a reader rejects an object without this property: it is required and has no default."""
        return name in self.here.get("required", ()) and "default" not in self.properties()[name]


def _compared(path: str, old: _Node, new: _Node) -> Iterator[Change]:
    was, now = old.alternatives(), new.alternatives()
    for kind in was.keys() - now.keys():
        yield Change(path, f"may no longer be {kind}: earlier documents are refused")
    for kind in now.keys() - was.keys():
        yield Change(path, f"may now be {kind}: earlier consumers refuse that")
    for kind in sorted(was.keys() & now.keys()):
        yield from _compared_values(path, was[kind], now[kind])
        yield from _compared_constraints(path, was[kind].here, now[kind].here)
        yield from _compared_properties(path, was[kind], now[kind])
        if "items" in was[kind].here and "items" in now[kind].here:
            yield from _compared(
                f"{path}[]", was[kind].at(was[kind].here["items"]), now[kind].at(now[kind].here["items"])
            )


def _compared_values(path: str, old: _Node, new: _Node) -> Iterator[Change]:
    was, now = old.values(), new.values()
    if was == now:
        return
    if was is None:
        yield Change(path, f"may only be {_listed(now)}: earlier documents are refused")
    elif now is None:
        yield Change(path, f"may be anything, not only {_listed(was)}: earlier consumers refuse that")
    else:
        if gone := [value for value in was if value not in now]:
            yield Change(path, f"may no longer be {_listed(gone)}: earlier documents are refused")
        if added := [value for value in now if value not in was]:
            yield Change(path, f"may now be {_listed(added)}: earlier consumers refuse that")


def _compared_constraints(path: str, old: Schema, new: Schema) -> Iterator[Change]:
    for keyword in sorted((old.keys() | new.keys()) - _STRUCTURE - _ANNOTATIONS):
        was, now = old.get(keyword), new.get(keyword)
        if was != now:
            yield Change(
                path, f"has another {keyword} ({was} before, {now} now): one side refuses what the other allows"
            )


def _compared_properties(path: str, old: _Node, new: _Node) -> Iterator[Change]:
    was, now = old.properties(), new.properties()
    for name in [*was, *(name for name in now if name not in was)]:
        where = f"{path}.{name}".lstrip(".")
        if name not in now:
            needed = old.needs(name)
            yield Change(
                where, "is gone: earlier consumers refuse documents without it" if needed else "is gone", needed
            )
        elif name not in was:
            if new.needs(name):
                yield Change(where, "is new and required: earlier documents, which lack it, are refused")
        else:
            if old.needs(name) and not new.needs(name):
                yield Change(where, "may now be left out: earlier consumers refuse documents without it")
            if new.needs(name) and not old.needs(name):
                yield Change(where, "is now required: earlier documents may lack it")
            yield from _compared(where, old.at(was[name]), new.at(now[name]))


def _listed(values: object) -> str:
    return ", ".join(str(value) for value in values) if isinstance(values, list | tuple) else str(values)

"""Event patterns: read and compiled once, then asked of each event.

A pattern has the form of the events that it matches. It is compiled into branches, of which an event must satisfy one:
$or multiplies them. A branch is a list of fields by their paths and of what each may be; all of them must hold, and
those within one array of objects must hold for the same object. An event is opened into its fields once, for all rules.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from localbus.event_pattern.json_tokenizer import JsonTokens, Value, invalid_pattern
from localbus.event_pattern.matchers import Alternatives
from localbus.event_pattern.operators import read_alternatives

MAX_BRANCHES = 1_000
_RESERVED_IN_OR = {
    *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
    *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}

Branch = tuple[tuple[str, Alternatives], ...]
# Where in arrays a value lies: for each array around it the path of the array, which array of that path, and where.
Place = tuple[tuple[str, int, int], ...]
Fields = Mapping[str, list[tuple[Value, Place]]]


def fields_of(event: Mapping[str, Any], asked: Collection[str] | None = None) -> Fields:
    """The event's fields by their paths: names joined by dots, with each value of an array as a value of its own.

    What an object or a list in an array has within it belongs together; the array's plain values belong to all of it.

    Where only some fields matter, `asked` has their paths and those of all that is around them (`with_those_around`).
    """
    fields: dict[str, list[tuple[Value, Place]]] = {}
    arrays = 0
    waiting: list[tuple[str, Any, Place]] = [("", event, ())]
    while waiting:
        path, value, place = waiting.pop()
        if isinstance(value, dict):
            within = f"{path}." if path else ""
            for name, item in value.items():
                inner = within + name
                if asked is not None and inner not in asked:
                    continue
                if isinstance(item, dict | list):
                    waiting.append((inner, item, place))
                else:
                    fields.setdefault(inner, []).append((item, place))
        elif isinstance(value, list):
            arrays += 1
            for at, item in enumerate(value):
                if isinstance(item, dict | list):
                    waiting.append((path, item, (*place, (path, arrays, at))))
                else:
                    fields.setdefault(path, []).append((item, place))
        else:
            fields.setdefault(path, []).append((value, place))
    return fields


def with_those_around(paths: Iterable[str]) -> frozenset[str]:
    """These paths, and those of everything that such a field may lie in."""
    return frozenset(path[:end] for path in paths for end in (*_dots(path), len(path)))


def _dots(path: str) -> list[int]:
    return [at for at, character in enumerate(path) if character == "."]


class EventPattern:
    """A compiled pattern."""

    def __init__(self, text: str) -> None:
        tokens = JsonTokens(text)
        if tokens.next().kind != "{":
            raise tokens.refusal("Filter is not an object")
        branches = _read_object(tokens, "", [{}], in_or=False)
        self.text = text
        self.branches: list[Branch] = [tuple(sorted(branch.items(), key=lambda item: item[0])) for branch in branches]

    def matches(self, fields: Fields) -> bool:
        """Whether an event of these fields is one of the pattern's."""
        return any(holds(branch, fields) for branch in self.branches)


def _read_object(
    tokens: JsonTokens, path: str, branches: list[dict[str, Alternatives]], *, in_or: bool
) -> list[dict[str, Alternatives]]:
    """Read the members of an object into the branches that there are so far."""
    empty = True
    while (token := tokens.next()).kind != "}":
        empty = False
        name = str(token.value)
        if name == "$or":
            branches = _read_or(tokens, path, branches)
            continue
        if in_or and name in _RESERVED_IN_OR:
            raise tokens.refusal(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        full = f"{path}.{name}" if path else name
        match tokens.next().kind:
            case "{":
                branches = _read_object(tokens, full, branches, in_or=in_or)
            case "[":
                alternatives = read_alternatives(tokens)
                for branch in branches:
                    branch[full] = alternatives
            case _:
                raise tokens.refusal(f'"{name}" must be an object or an array')
    if empty:
        raise tokens.refusal("Empty objects are not allowed")
    return branches


def _read_or(tokens: JsonTokens, path: str, branches: list[dict[str, Alternatives]]) -> list[dict[str, Alternatives]]:
    """Read the objects of an $or, each of which goes on from all branches there are."""
    if tokens.next().kind != "[":
        raise tokens.refusal("It must be an Array followed with $or.")
    result: list[dict[str, Alternatives]] = []
    count = 0
    while (token := tokens.next()).kind != "]":
        if token.kind != "{":
            raise tokens.refusal("Only JSON object is allowed in array of $or relationship.")
        count += 1
        result += _read_object(tokens, path, [dict(branch) for branch in branches], in_or=True)
        if len(result) > MAX_BRANCHES:
            raise invalid_pattern("Rule is too complex - try using fewer combinations of $or")
    if count < 2:
        raise tokens.refusal("There must have at least 2 Objects in $or relationship.")
    return result


def holds(branch: Branch, fields: Fields) -> bool:
    """Whether all of a branch holds, with one choice of objects in the arrays.

    `places` are the choices that are still open. A choice that no later field shares is forgotten, so that arrays
    which have nothing to do with each other do not multiply.
    """
    places: set[Place] = {()}
    for position, (path, alternatives) in enumerate(branch):
        found = fields.get(path, ())
        if len(places) == 1 and () in places:
            following = {place for value, place in found if alternatives.accepts(value)}
            if alternatives.absent and not found:
                following.add(())
        else:
            following = _joined(places, found, alternatives)
        if not following:
            return False
        places = _still_open(following, branch[position + 1 :])
    return True


def _joined(places: Iterable[Place], found: Iterable[tuple[Value, Place]], alternatives: Alternatives) -> set[Place]:
    """The choices that go together with a field's values: in no array two different objects."""
    root = _Node()
    for value, place in found:
        node = root
        for _, array, at in place:
            node = node.within.setdefault(array, {}).setdefault(at, _Node())
        node.values.append((value, place))
    following: set[Place] = set()
    for place in places:
        together = root.values_with({array: at for _, array, at in place})
        if alternatives.absent and not together:
            following.add(place)
        for value, other in together:
            if alternatives.accepts(value):
                following.add(tuple(sorted({*place, *other})))
    return following


class _Node:
    """Values of one field by where they lie: those right here, and by array and place those further within."""

    __slots__ = ("values", "within")

    def __init__(self) -> None:
        self.values: list[tuple[Value, Place]] = []
        self.within: dict[int, dict[int, _Node]] = {}

    def values_with(self, chosen: Mapping[int, int]) -> list[tuple[Value, Place]]:
        """The values that lie in no other object of an array than the one that is chosen of it."""
        found: list[tuple[Value, Place]] = []
        waiting = [self]
        while waiting:
            node = waiting.pop()
            found += node.values
            for array, places in node.within.items():
                if array not in chosen:
                    waiting.extend(places.values())
                elif chosen[array] in places:
                    waiting.append(places[chosen[array]])
        return found


def _still_open(places: set[Place], later: Branch) -> set[Place]:
    """The choices without those that no later field shares."""
    if len(places) == 1 and () in places:
        return places
    names = {one[0] for place in places for one in place}
    kept = {name for name in names if any(path == name or path.startswith(f"{name}.") for path, _ in later)}
    return {tuple(one for one in place if one[0] in kept) for place in places}

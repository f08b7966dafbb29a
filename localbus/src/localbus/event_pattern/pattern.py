"""Event patterns, compiled once and matched against many events.

A pattern has the structure of the events that it matches. It is compiled into branches, and an event must match one of
them: each $or multiplies the branches. A branch is a list of field paths with their matchers. All of them must match,
and fields in one array of objects must match in the same object. An event is flattened once for all rules.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from localbus.event_pattern.json_tokenizer import JsonTokens, Value, invalid_pattern
from localbus.event_pattern.matchers import FieldMatcher
from localbus.event_pattern.operators import read_alternatives

MAX_BRANCHES = 1_000
_RESERVED_IN_OR = {
    *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
    *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}

Branch = tuple[tuple[str, FieldMatcher], ...]
# The position of a value in arrays: for each array around it the array's path, its number in the event, and the index.
ArrayPosition = tuple[tuple[str, int, int], ...]
Fields = Mapping[str, list[tuple[Value, ArrayPosition]]]


def fields_of(event: Mapping[str, Any], needed: Collection[str] | None = None) -> Fields:
    """Flatten an event into its fields by path: names joined by dots, and each array item as a value.

    Values in an object or list inside an array belong together; plain array items belong to the whole array.
    `needed` limits the fields to these paths, which must include those of their ancestors (`with_ancestors`).
    """
    fields: dict[str, list[tuple[Value, ArrayPosition]]] = {}
    arrays = 0
    waiting: list[tuple[str, Any, ArrayPosition]] = [("", event, ())]
    while waiting:
        path, value, position = waiting.pop()
        if isinstance(value, dict):
            within = f"{path}." if path else ""
            for name, item in value.items():
                inner = within + name
                if needed is not None and inner not in needed:
                    continue
                if isinstance(item, dict | list):
                    waiting.append((inner, item, position))
                else:
                    fields.setdefault(inner, []).append((item, position))
        elif isinstance(value, list):
            arrays += 1
            for index, item in enumerate(value):
                if isinstance(item, dict | list):
                    waiting.append((path, item, (*position, (path, arrays, index))))
                else:
                    fields.setdefault(path, []).append((item, position))
        else:
            fields.setdefault(path, []).append((value, position))
    return fields


def with_ancestors(paths: Iterable[str]) -> frozenset[str]:
    """Return these paths and those of all objects around them."""
    return frozenset(
        path[:end] for path in paths for end in range(1, len(path) + 1) if path[end : end + 1] in {".", ""}
    )


class EventPattern:
    """A compiled pattern. Raises InvalidEventPatternException for a text that is not one."""

    def __init__(self, text: str, read_float: Callable[[str], float] = float) -> None:
        tokens = JsonTokens(text, read_float)
        if tokens.next().kind != "{":
            raise tokens.error("Filter is not an object")
        branches = _read_object(tokens, "", [{}], in_or=False)
        self.text = text
        self.branches: list[Branch] = [tuple(sorted(branch.items(), key=lambda item: item[0])) for branch in branches]

    @property
    def has_wildcards(self) -> bool:
        """True if the pattern uses the operator wildcard."""
        return any(matcher.has_wildcard for branch in self.branches for _, matcher in branch)

    def matches(self, fields: Fields) -> bool:
        """Return whether an event with these fields matches."""
        return any(holds(branch, fields) for branch in self.branches)


def _read_object(
    tokens: JsonTokens, path: str, branches: list[dict[str, FieldMatcher]], *, in_or: bool
) -> list[dict[str, FieldMatcher]]:
    """Read the members of an object and add them to each of the branches."""
    empty = True
    for token in tokens.until("}"):
        empty = False
        name = str(token.value)
        if name == "$or":
            branches = _read_or(tokens, path, branches)
            continue
        if in_or and name in _RESERVED_IN_OR:
            raise tokens.error(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        full = f"{path}.{name}" if path else name
        value = tokens.next()
        match value.kind:
            case "{":
                branches = _read_object(tokens, full, branches, in_or=in_or)
            case "[":
                matcher = read_alternatives(tokens, value.read - 1)
                for branch in branches:
                    branch[full] = matcher
            case _:
                raise tokens.error(f'"{name}" must be an object or an array')
    if empty:
        raise tokens.error("Empty objects are not allowed")
    return branches


def _read_or(tokens: JsonTokens, path: str, branches: list[dict[str, FieldMatcher]]) -> list[dict[str, FieldMatcher]]:
    """Read the objects of an $or; each of them extends all of the branches."""
    if tokens.next().kind != "[":
        raise tokens.error("It must be an Array followed with $or.")
    result: list[dict[str, FieldMatcher]] = []
    count = 0
    for token in tokens.until("]"):
        if token.kind != "{":
            raise tokens.error("Only JSON object is allowed in array of $or relationship.")
        count += 1
        result += _read_object(tokens, path, [dict(branch) for branch in branches], in_or=True)
        if len(result) > MAX_BRANCHES:
            raise invalid_pattern("Rule is too complex - try using fewer combinations of $or")
    if count < 2:
        raise tokens.error("There must have at least 2 Objects in $or relationship.")
    return result


def holds(branch: Branch, fields: Fields) -> bool:
    """Return whether all fields of a branch match, with one choice of objects in the arrays."""
    positions: set[ArrayPosition] = {()}
    for number, (path, matcher) in enumerate(branch):
        matching = matching_positions(positions, fields.get(path, ()), matcher)
        if not matching:
            return False
        positions = still_relevant(matching, branch[number + 1 :])
    return True


def matching_positions(
    positions: set[ArrayPosition], found: Collection[tuple[Value, ArrayPosition]], matcher: FieldMatcher
) -> set[ArrayPosition]:
    """Return the choices of array items in which a field matches, consistent with those of the fields before it.

    The result is empty when the field does not match.
    """
    if len(positions) == 1 and () in positions:
        matching = {position for value, position in found if matcher.accepts(value)}
        return {*matching, ()} if matcher.absent and not found else matching
    return _joined(positions, found, matcher)


def _joined(
    positions: Iterable[ArrayPosition], found: Iterable[tuple[Value, ArrayPosition]], matcher: FieldMatcher
) -> set[ArrayPosition]:
    """Combine the choices with a field's matching values; no array may contribute two different items."""
    root = _Node()
    for value, position in found:
        node = root
        for _, array, index in position:
            node = node.within.setdefault(array, {}).setdefault(index, _Node())
        node.values.append((value, position))
    matching: set[ArrayPosition] = set()
    for position in positions:
        together = root.values_with({array: index for _, array, index in position})
        if matcher.absent and not together:
            matching.add(position)
        matching |= {tuple(sorted({*position, *other})) for value, other in together if matcher.accepts(value)}
    return matching


class _Node:
    """The values of one field by position: those at this level, and by array and index those further inside."""

    __slots__ = ("values", "within")

    def __init__(self) -> None:
        self.values: list[tuple[Value, ArrayPosition]] = []
        self.within: dict[int, dict[int, _Node]] = {}

    def values_with(self, chosen: Mapping[int, int]) -> list[tuple[Value, ArrayPosition]]:
        """Return the values that lie in no array item other than the chosen ones (array: index)."""
        found: list[tuple[Value, ArrayPosition]] = []
        waiting = [self]
        while waiting:
            node = waiting.pop()
            found += node.values
            for array, items in node.within.items():
                if array not in chosen:
                    waiting.extend(items.values())
                elif chosen[array] in items:
                    waiting.append(items[chosen[array]])
        return found


def still_relevant(positions: set[ArrayPosition], later: Branch) -> set[ArrayPosition]:
    """Drop the array choices that no later field shares, so that unrelated arrays do not multiply."""
    if len(positions) == 1 and () in positions:
        return positions
    names = {one[0] for position in positions for one in position}
    kept = {name for name in names if any(path == name or path.startswith(f"{name}.") for path, _ in later)}
    return {tuple(one for one in position if one[0] in kept) for position in positions}

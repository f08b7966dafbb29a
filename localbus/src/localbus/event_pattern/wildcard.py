r"""Wildcards in event patterns: `*` matches any characters, `\*` and `\\` match themselves.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
("Matching using wildcards").
"""

from __future__ import annotations

from collections.abc import Iterable

from localbus.event_pattern.json_tokenizer import JsonTokens, Token, Value, invalid_pattern

# AWS limits the number of states that one value can reach at the same time and does not publish the limit. This one
# rejects what the documentation calls too complex and accepts its valid examples.
MAX_STATES = 12
_MAX_EXPLORED = 2_000

Part = str | None  # a literal character, or None for `*`


class Wildcard:
    """A compiled wildcard: literal pieces split at each `*`, so that a match takes a few searches."""

    def __init__(self, text: str) -> None:
        parts = _parse(text)
        _check_complexity(parts)
        pieces = [""]
        for part in parts:
            if part is None:
                pieces.append("")
            else:
                pieces[-1] += part
        self.first, self._middle = pieces[0], pieces[1:-1]
        self.last = pieces[-1] if len(pieces) > 1 else None

    def __call__(self, value: Value) -> bool:
        """Return whether the value is a string that matches as a whole."""
        if not isinstance(value, str):
            return False
        if self.last is None:
            return value == self.first
        if len(value) < len(self.first) + len(self.last) or not value.startswith(self.first):
            return False
        at, end = len(self.first), len(value) - len(self.last)
        for piece in self._middle:
            found = value.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return value.endswith(self.last)


class WildcardSyntaxError(ValueError):
    """A syntax error with its position, counted from the opening quote of the value."""


def _parse(text: str) -> list[Part]:
    parts: list[Part] = []
    characters = iter(enumerate(text, 1))
    for position, character in characters:
        following = text[position : position + 1]
        if character == "*":
            if following == "*":
                raise WildcardSyntaxError(f"Consecutive wildcard characters at pos {position}")
            parts.append(None)
        elif character == "\\":
            if following not in {"*", "\\"}:
                raise WildcardSyntaxError(f"Invalid escape character at pos {position}")
            parts.append(next(characters)[1])
        else:
            parts.append(character)
    return parts


def _check_complexity(parts: list[Part]) -> None:
    """Raise an error when some value could reach more than MAX_STATES states at once."""
    alphabet = {part for part in parts if part is not None}
    start = _closure({0}, parts)
    seen, waiting = {start}, [start]
    while waiting:
        states = waiting.pop()
        if len(states) > MAX_STATES or len(seen) > _MAX_EXPLORED:
            reason = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences"
            raise invalid_pattern(f"{reason} after a wildcard character")
        for character in alphabet:
            after = _closure(
                {
                    at if parts[at] is None else at + 1
                    for at in states
                    if at < len(parts) and parts[at] in {None, character}
                },
                parts,
            )
            if after not in seen:
                seen.add(after)
                waiting.append(after)


def _closure(states: set[int], parts: list[Part]) -> frozenset[int]:
    """Return the states and those reached through a wildcard that matches nothing."""
    return frozenset(states | {at + 1 for at in states if at < len(parts) and parts[at] is None})


def read_wildcards(tokens: JsonTokens, given: Iterable[Token], *, listed: bool) -> list[Wildcard]:
    """Compile the wildcards of these tokens. A syntax error is reported at the offset after all of them."""
    texts = list(tokens.texts(given, "wildcard match pattern must be a string", twice=listed))
    try:
        return [Wildcard(text) for text in texts]
    except WildcardSyntaxError as exc:
        raise tokens.error(str(exc)) from exc

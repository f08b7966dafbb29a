r"""Wildcards of event patterns: `*` stands for any characters, `\*` and `\\` for themselves.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
("Matching using wildcards").
"""

from __future__ import annotations

from collections.abc import Iterable

from localbus.event_pattern.json_tokenizer import JsonTokens, Token, Value, invalid_pattern

# AWS counts how many beginnings of the pattern one value can match at the same time and does not publish its limit;
# this one refuses what the documentation calls too complex and takes what it shows as simple enough.
MAX_STATES = 12
_MAX_EXPLORED = 2_000

Part = str | None  # a literal character, or None for `*`


class Wildcard:
    """One pattern, split at its wildcards, so that a match is a few searches. What it matches begins with `first`."""

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
        """Whether the value is a text of this form."""
        return isinstance(value, str) and self.matches(value)

    def matches(self, value: str) -> bool:
        """Whether the whole value is of this form."""
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
    """What is wrong, at which position of the value with its opening quote."""


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
    """Follow every value there could be, as far as it makes a difference, and count where a match may stand."""
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
    """These states and those behind a wildcard that stands for nothing."""
    return frozenset(states | {at + 1 for at in states if at < len(parts) and parts[at] is None})


def read_wildcards(tokens: JsonTokens, given: Iterable[Token], *, listed: bool) -> list[Wildcard]:
    """The wildcards that these tokens are. The reader is past all of them when it says what is wrong with one."""
    texts: list[str] = []
    for token in given:
        if token.kind != "string":
            raise tokens.refusal("wildcard match pattern must be a string", twice=listed)
        texts.append(tokens.text_of(token))
    try:
        return [Wildcard(text) for text in texts]
    except WildcardSyntaxError as exc:
        raise tokens.refusal(str(exc)) from exc

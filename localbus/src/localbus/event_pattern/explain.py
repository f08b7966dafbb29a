"""Explanations of a match: the wanted and found values of each field of a pattern, and the reason for a mismatch.

It evaluates the compiled pattern that matching uses, so both always agree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localbus.event_pattern.json_tokenizer import Value
from localbus.event_pattern.matchers import FieldMatcher
from localbus.event_pattern.pattern import (
    ArrayPosition,
    Branch,
    EventPattern,
    Fields,
    fields_of,
    matching_positions,
    still_relevant,
)

_MOST_SHOWN = 5


@dataclass(frozen=True)
class FieldReason:
    """The result for one field. `found` is empty for an absent field; `why` is None for one that matched."""

    path: str
    matched: bool
    wanted: str
    matchers: list[str]
    found: list[Value]
    why: str | None


@dataclass(frozen=True)
class Explanation:
    """The result for one branch of a pattern, with those of its other branches as `alternatives` (see $or)."""

    reasons: list[FieldReason]
    alternatives: tuple[Explanation, ...] = ()

    @property
    def matches(self) -> bool:
        """True if every field matched."""
        return all(reason.matched for reason in self.reasons)

    @property
    def why(self) -> str:
        """The first mismatch as a sentence."""
        return next((reason.why for reason in self.reasons if reason.why), "Every field matches.")

    def document(self) -> dict[str, Any]:
        """The explanation for JSON."""
        reasons = [vars(reason) for reason in self.reasons]
        return {"matches": self.matches, "why": self.why, "reasons": reasons}


def explain(pattern: EventPattern, event: Mapping[str, Any]) -> Explanation:
    """Explain the branch that the event matches, or else the one of which the fewest fields mismatch."""
    fields = fields_of(event)
    explained = [Explanation(_explain_branch(branch, fields)) for branch in pattern.branches]
    nearest = min(explained, key=lambda one: sum(not reason.matched for reason in one.reasons))
    return Explanation(nearest.reasons, tuple(one for one in explained if one is not nearest))


def _explain_branch(branch: Branch, fields: Fields) -> list[FieldReason]:
    """Follow the steps of `holds`, but go on after a mismatch with the array items chosen before it."""
    positions: set[ArrayPosition] = {()}
    reasons: list[FieldReason] = []
    for number, (path, matcher) in enumerate(branch):
        matching = matching_positions(positions, fields.get(path, ()), matcher)
        reasons.append(_reason(path, matcher, fields, matched=bool(matching)))
        positions = still_relevant(matching or positions, branch[number + 1 :])
    return reasons


def _reason(path: str, matcher: FieldMatcher, fields: Fields, *, matched: bool) -> FieldReason:
    alternatives = json.loads(matcher.source, parse_float=_as_shown)
    names = [name for one in alternatives for name in (one if isinstance(one, dict) else ("exactly",))]
    wanted = " or ".join(map(_wanted, alternatives))
    found = [value for value, _ in fields.get(path, ())]
    why = None
    if not matched and any(matcher.accepts(value) for value in found):
        why = f"{path} matches, but not in the same array item as the fields before it; wanted: {wanted}"
    elif not matched:
        why = f"{path} is {_found(path, found, fields)}; wanted: {wanted}"
    return FieldReason(path, matched, wanted, list(dict.fromkeys(names)), found, why)


def _wanted(alternative: Any) -> str:
    match alternative:
        case {"exists": present}:
            return "present" if present else "absent"
        case {"numeric": bounds}:
            return " and ".join(f"{sign} {_text(bound)}" for sign, bound in zip(bounds[::2], bounds[1::2], strict=True))
        case dict():
            [(name, operand)] = alternative.items()
            return f"{name} {_text(operand)}"
    return _text(alternative)


def _found(path: str, found: list[Value], fields: Fields) -> str:
    if not found:
        return "an object" if any(name.startswith(f"{path}.") for name in fields) else "absent"
    more = f" and {len(found) - _MOST_SHOWN} more values" if len(found) > _MOST_SHOWN else ""
    return " and ".join(map(_text, found[:_MOST_SHOWN])) + more


class _Written(str):
    """A number as the pattern has it."""


def _as_shown(text: str) -> float | _Written:
    """Return a number, or its text if it is too large for one: such a number equals the same number only."""
    number = float(text)
    return _Written(text) if math.isinf(number) else number


def _text(value: object) -> str:
    return value if isinstance(value, _Written) else json.dumps(value, ensure_ascii=False)

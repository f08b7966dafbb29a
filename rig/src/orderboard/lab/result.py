"""The result of an experiment on one backend: outcome, timeline and checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from orderboard.lab.steps import Holds

# The prefix of a run's names, and ids of messages and requests.
_RUN: Final = re.compile(r"lab-[0-9a-f]{8}-|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST_REASON: Final = 300


class Outcome(StrEnum):
    """The outcome of an experiment."""

    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    CANNOT_OCCUR = "cannot occur here"
    BROKEN_OFF = "broken off"


@dataclass(frozen=True)
class Moment:
    """A line of the timeline.

    at_s: seconds since the start, by the engine's clock. kind: "step", "call", "wait", "check", "engine", "journal",
    "request" or "picture" (lines of text). party: the column. detail: parameters and response of a call, an entry of
    the journal, the data of a picture.
    """

    at_s: float
    kind: str
    party: str
    text: str
    detail: Any = None


@dataclass(frozen=True)
class Checked:
    """A check and what was found."""

    text: str
    holds: Holds
    expected: str | int | list[str]
    found: str | list[str]
    passed: bool


@dataclass
class Result:
    """Everything that one run of an experiment showed.

    reason: what was seen instead, or why it cannot occur here. left_behind: resources that could not be removed.
    seconds: real time. waited_s: the part of it in which an engine's clock had to run.
    """

    name: str
    title: str
    claim: str
    source: str
    backend: str
    outcome: Outcome = Outcome.BROKEN_OFF
    reason: str = ""
    moments: list[Moment] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    seconds: float = 0.0
    means: str = ""

    @property
    def stable_reason(self) -> str:
        """The reason without what is different in each run, cut to a few lines."""
        text = " ".join(_RUN.sub("", self.reason).split())
        return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def as_text(value: Any) -> str | list[str]:
    """Return a found value as every program has it: text, or a list of texts. Nothing is an empty text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return [str(as_text(each)) for each in value]
        case _:
            return str(value)


def passes(found: str | list[str], holds: Holds, expected: str | int | list[str]) -> bool:
    """Return whether a found value is as expected. Texts are compared as texts, bounds as numbers."""
    wanted = as_text(expected)
    rules: dict[Holds, Callable[[], bool]] = {
        "is": lambda: found == wanted,
        "is not": lambda: found != wanted,
        "is one of": lambda: found in wanted,
        "contains": lambda: wanted in found,
        "in any order": lambda: sorted(found) == sorted(wanted),
        "at least": lambda: _number(found) >= _number(wanted),
        "at most": lambda: _number(found) <= _number(wanted),
    }
    return rules[holds]()


def _number(text: str | list[str]) -> float:
    try:
        return float(str(text))
    except ValueError:
        return float("nan")  # no bound holds


def shown(found: str | list[str]) -> str:
    """Return a found value for a reader."""
    return ", ".join(found) or "nothing" if isinstance(found, list) else found or "nothing"

"""Helpers for tests of generated programs: experiments, and the checks that a program must print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from orderboard.lab.catalogue import Entry, everything, find
from orderboard.lab.program import Program
from orderboard.lab.steps import Check, Each, Step

RECORDED = [each for each in everything() if not isinstance(each.experiment, Program)]


def all_hold(entry: Entry) -> list[str]:
    """The lines by which a program says that each check holds, in the order of the steps."""
    return [f"  ok       {each.text}" for each in _taken(entry.experiment.steps)]


def verdicts(output: str) -> list[str]:
    """The lines of a program's output that are about checks."""
    return [line for line in output.splitlines() if line.startswith(("  ok", "  DIFFERS"))]


def with_wrong_expectation() -> tuple[Entry, list[str]]:
    """An experiment whose second check expects what is not there, and what a program prints about its checks."""
    entry = find("sqs-delay-fifo")
    steps, checks = entry.experiment.steps, entry.experiment.checks
    steps[steps.index(checks[1])] = replace(checks[1], expected=["espresso", "flat white"])
    return entry, [all_hold(entry)[0], f"  DIFFERS  {checks[1].text}: found espresso"]


def _taken(steps: Sequence[Step]) -> Iterator[Check]:
    """The checks in the order in which they are made: those of a loop for each item."""
    for step in steps:
        match step:
            case Check():
                yield step
            case Each(_, items, inner):
                for _ in items:
                    yield from _taken(inner)
            case _:
                pass

"""The head of a program: the claim, and how to run it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from orderboard.lab.catalogue import Entry
from orderboard.lab.experiment import Experiment
from orderboard.lab.steps import Each, Step, Wait

_FACTS: Final = (("Claim", "claim"), ("Source", "source"), ("For your code", "means"))
_NEEDS: Final = {
    "disorder": "It needs localbus, which can be made to do this; elsewhere it ends with exit code 2.",
    "faults": "It needs localbus, which can be made to do this; elsewhere it ends with exit code 2.",
    "callback": "The engine must reach this machine, by the host CALLBACK_HOST (else 127.0.0.1).",
}


def introduction(entry: Entry, *, command: str, before: Sequence[str], width: int) -> list[str]:
    """Return the lines: title, facts, and how to run the program with this command."""
    experiment = entry.experiment
    lines = [f"{entry.title}.", ""]
    for label, name in _FACTS:
        lines += textwrap.wrap(
            f"{label}: {getattr(experiment, name)}",
            width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines += ["", "Run it on a local engine, or without AWS_ENDPOINT_URL in your AWS account:", ""]
    lines += [f"    {each}" for each in (*before, f"AWS_ENDPOINT_URL=http://127.0.0.1:4566 {command}")]
    lines += ["", *(line for each in _notes(experiment) for line in textwrap.wrap(each, width))]
    return lines


def _notes(experiment: Experiment) -> Iterator[str]:
    if seconds := _waited_s(experiment.steps):
        yield f"It waits for {seconds:g} s, unless the engine's clock can be turned (localbus --manual-clock)."
    yield from dict.fromkeys(text for name, text in _NEEDS.items() if name in experiment.needs)
    yield "Exit code: 0 if the claim is reproduced, 1 if something differs."


def _waited_s(steps: Sequence[Step]) -> float:
    """The seconds that pass in all, in loops too."""
    total = 0.0
    for step in steps:
        match step:
            case Wait(seconds):
                total += seconds
            case Each(_, items, inner):
                total += len(items) * _waited_s(inner)
            case _:
                pass
    return total

"""The differences between groups of runs other than their figures. Pure."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from orderboard.burst.model import Summary
from orderboard.burst.model.base import Value
from orderboard.burst.runs.kept import Group, KeptRun

# The plan is all settings but these.
_NOT_OF_THE_PLAN: Final = frozenset(("command",))
_OF_ANSWERS: Final = frozenset(("orders", "rate", "duration_s"))  # of clients, who send as they are answered
_LATE_SHARE: Final = 0.01


class Difference(Value):
    """A difference between the runs other than their figures."""

    kind: Literal["plan", "machine", "version", "doubt"] = Field(
        description="plan and machine: not comparable as they are. version: likely the change that is measured. "
        "doubt: a run that should not be relied on."
    )
    text: str


def plan_of(summary: Summary) -> dict[str, Any]:
    """Return the settings that two comparable runs have in common."""
    settings = summary.document()["settings"]
    left_out = _NOT_OF_THE_PLAN | (_OF_ANSWERS if settings["closed"] else frozenset())
    return {name: value for name, value in settings.items() if name not in left_out}


def differences_of(before: Group, after: Group) -> Iterator[Difference]:
    """Yield what differs between the plans, machines and versions, and the runs that should not be relied on."""
    plans = [[plan_of(summary) for summary in group.summaries] for group in (before, after)]
    for name in dict.fromkeys(name for side in plans for plan in side for name in plan):
        yield from _unlike(
            "plan", name.replace("_", " "), *([_text(plan.get(name)) for plan in side] for side in plans)
        )
    machines = [[summary.machine for summary in group.summaries] for group in (before, after)]
    for name in ("system", "processor", "cpus", "memory_megabytes"):
        of_machine = ([_text(getattr(machine, name)) for machine in side] for side in machines)
        yield from _unlike("machine", name.replace("_", " "), *of_machine)
    packages = ["Python", *dict.fromkeys(name for side in machines for each in side for name in each.versions)]
    for name in packages:
        of_package = (
            [each.python if name == "Python" else each.versions.get(name, "none") for each in side] for side in machines
        )
        yield from _unlike("version", name, *of_package)
    yield from _doubts((*before.runs, *after.runs))


def _unlike(
    kind: Literal["plan", "machine", "version"], name: str, before: Sequence[str], after: Sequence[str]
) -> Iterator[Difference]:
    values = [" or ".join(dict.fromkeys(side)) for side in (before, after)]
    if values[0] != values[1]:
        yield Difference(kind=kind, text=f"{name}: {values[0]}, then {values[1]}")
    elif " or " in values[0] and len(set(before)) > 1:
        yield Difference(kind=kind, text=f"{name}: differs within each side ({values[0]})")


def _doubts(runs: Sequence[KeptRun]) -> Iterator[Difference]:
    for run in runs:
        summary, generator = run.summary, run.summary.generator
        if summary.broken_off:
            yield Difference(kind="doubt", text=f"{run.name} was broken off: {summary.broken_off}")
        elif not summary.verdict.good:
            yield Difference(kind="doubt", text=f"{run.name} is not valid")
        share = max(each.late / max(1, each.orders) for each in generator.split)
        if share > _LATE_SHARE:
            which = "the generator" if len(generator.split) == 1 else "one of the generators"
            yield Difference(kind="doubt", text=f"{run.name}: {which} sent {share:.0%} of its orders late")


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value)) or "none"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    return "none" if value is None else str(value)

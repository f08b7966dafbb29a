"""Two runs, or groups of repeated runs, compared: figure by figure, with what makes them not comparable. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from orderboard.burst.judge.metrics import STEPS, is_known, metric
from orderboard.burst.model import Interval, MaybeInfinite, Summary
from orderboard.burst.runs.kept import KeptRun
from orderboard.burst.runs.ratio import METHOD, Ratio, center, ratio

_LATENCIES: Final = {50: "p50_ms", 90: "p90_ms", 95: "p95_ms", 99: "p99_ms", 99.9: "p999_ms"}
# Those that every run has.
FIGURES: Final = (
    *(f"{of}_{name}" for of in ("accept", "end_to_end") for name in _LATENCIES.values()),
    *("accepted_per_s", "finished_per_s", "drain_s", "settled_s", "peak_backlog"),
    *("refused", "unavailable", "lost", "duplicated", "unexpected"),
    *("requests_per_1000_orders", "usd_per_1000_orders", "memory_mb"),
    *(f"step_{step}_{name}" for step in STEPS for name in ("p50_ms", "p99_ms")),
)
# The plan is all settings but these.
_NOT_OF_THE_PLAN: Final = frozenset(("command",))
_OF_ANSWERS: Final = frozenset(("orders", "rate", "duration_s"))  # of clients, who send as they are answered
_LATE_SHARE: Final = 0.01


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Value):
    """A figure of both sides."""

    name: str
    before: tuple[MaybeInfinite, ...] = Field(description="Of each run of A.")
    after: tuple[MaybeInfinite, ...] = Field(description="Of each run of B.")
    before_mean: MaybeInfinite = Field(description="The geometric mean; the arithmetic one where a value is 0.")
    after_mean: MaybeInfinite
    ratio: MaybeInfinite = Field(description="after_mean / before_mean; 1 where both are 0.")
    low: float | None = Field(description="Of the 95 % interval of the ratio; None where none can be given.")
    high: float | None
    before_within: Interval | None = Field(description="Of a single run's percentile: its interval within the run.")
    after_within: Interval | None

    @property
    def differs(self) -> bool:
        """True when the interval leaves out 1."""
        return Ratio(self.ratio, self.low, self.high).differs


class Difference(_Value):
    """A difference between the runs other than their figures."""

    kind: Literal["plan", "machine", "version", "doubt"] = Field(
        description="plan and machine: not comparable as they are. version: likely the change that is measured. "
        "doubt: a run that should not be relied on."
    )
    text: str


class Side(_Value):
    """A run, or a group of repeated ones."""

    name: str
    runs: tuple[str, ...]


class Comparison(_Value):
    """B compared with A."""

    format: Literal["orderboard.comparison.v1"] = "orderboard.comparison.v1"
    before: Side
    after: Side
    method: str
    comparable: bool = Field(description="The same plan on the same machine.")
    differences: tuple[Difference, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Group:
    """The runs of one side, by the name that the user gave."""

    name: str
    runs: Sequence[KeptRun]

    @property
    def summaries(self) -> list[Summary]:
        """Their summaries."""
        return [run.summary for run in self.runs]


def compare(before: Group, after: Group) -> Comparison:
    """Compare each figure of two groups."""
    differences = tuple(_differences(before, after))
    known = [name for name in FIGURES if lacking(name, before, after) is None]
    return Comparison(
        before=_side(before),
        after=_side(after),
        method=_method(before, after),
        comparable=not any(each.kind in ("plan", "machine") for each in differences),
        differences=differences,
        figures=tuple(figure(name, before, after) for name in known),
    )


def figure(name: str, before: Group, after: Group) -> Figure:
    """Compare one figure."""
    values = [[metric(summary, name) for summary in group.summaries] for group in (before, after)]
    found = ratio(*values)
    within = [_within(name, group.summaries) for group in (before, after)]
    return Figure(
        name=name,
        before=tuple(values[0]),
        after=tuple(values[1]),
        before_mean=center(values[0]),
        after_mean=center(values[1]),
        ratio=found.value,
        low=found.low,
        high=found.high,
        before_within=within[0],
        after_within=within[1],
    )


def plan_of(summary: Summary) -> dict[str, Any]:
    """Return the settings that two comparable runs have in common."""
    settings = summary.document()["settings"]
    left_out = _NOT_OF_THE_PLAN | (_OF_ANSWERS if settings["closed"] else frozenset())
    return {name: value for name, value in settings.items() if name not in left_out}


def lacking(name: str, *groups: Group) -> str | None:
    """Return the first run that does not have a metric, so that it cannot be compared; None if all have it."""
    return next((run.name for group in groups for run in group.runs if not is_known(run.summary, name)), None)


def _within(name: str, summaries: Sequence[Summary]) -> Interval | None:
    if len(summaries) > 1:
        return None
    latencies = {"accept": summaries[0].accept, "end_to_end": summaries[0].end_to_end}
    of, _, percentile = name.rpartition("_p")
    found = latencies.get(of)
    intervals = () if found is None else found.intervals
    return next((each for each in intervals if f"p{percentile}" == _LATENCIES.get(each.percentile)), None)


def _side(group: Group) -> Side:
    return Side(name=group.name, runs=tuple(run.name for run in group.runs))


def _method(before: Group, after: Group) -> str:
    if len(before.runs) > 1 < len(after.runs):
        return f"{METHOD} A has {len(before.runs)} runs, B has {len(after.runs)}."
    single = " and ".join(group for group, runs in (("A", before.runs), ("B", after.runs)) if len(runs) == 1)
    return (
        f"No interval can be given for a ratio: {single} {'have' if ' ' in single else 'has'} one run, so the spread "
        "between runs is unknown. Repeat a burst with --repeat 5. Intervals within a run are at 95 %, by order "
        "statistics; they take orders as independent, and leave out what differs between runs."
    )


def _differences(before: Group, after: Group) -> Iterator[Difference]:
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

"""Two runs, or groups of repeated runs, compared: figure by figure, with what makes them not comparable. Pure."""

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from orderboard.burst.judge.metrics import STEPS, is_known, metric
from orderboard.burst.model import Interval, MaybeInfinite, Summary
from orderboard.burst.model.base import Value
from orderboard.burst.runs.differences import Difference, differences_of
from orderboard.burst.runs.kept import Group
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


class Figure(Value):
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


class Side(Value):
    """A run, or a group of repeated ones."""

    name: str
    runs: tuple[str, ...]


class Comparison(Value):
    """B compared with A."""

    format: Literal["orderboard.comparison.v1"] = "orderboard.comparison.v1"
    before: Side
    after: Side
    method: str
    comparable: bool = Field(description="The same plan on the same machine.")
    differences: tuple[Difference, ...]
    figures: tuple[Figure, ...]


def compare(before: Group, after: Group) -> Comparison:
    """Compare each figure of two groups."""
    differences = tuple(differences_of(before, after))
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

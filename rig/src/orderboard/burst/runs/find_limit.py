"""--find-limit: bursts at one rate after another, until the highest is known that meets the thresholds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from orderboard.burst.judge.limit_search import LimitSearch
from orderboard.burst.judge.threshold_text import parse_threshold
from orderboard.burst.model import Summary
from orderboard.burst.options import BurstOptions
from orderboard.burst.runs.folders import claim_folder
from orderboard.burst.scenario.defaults import DEFAULT_RATE
from orderboard.errors import UsageError
from orderboard.option_values import parsed

_DRAIN_SHARE: Final = 0.1  # of the load: a longer drain means that a backlog grew
_LEAST_DRAIN_S: Final = 2.0
_LATE_SHARE: Final = 0.01
_OTHER_LOADS: Final = ("orders", "stage", "trace", "clients", "config")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class LimitRun(_Value):
    """A burst at one rate."""

    rate: float
    holds: bool
    why: str = Field(description="Of a rate that broke; empty of one that held.")
    run: str = Field(description="The run's folder.")
    accepted_per_s: float
    accept_p99_ms: float | None
    end_to_end_p99_ms: float | None
    bottleneck: str = ""


class FoundLimit(_Value):
    """The result of a search."""

    format: Literal["orderboard.limit.v1"] = "orderboard.limit.v1"
    tag: str
    holds_per_s: float | None = Field(description="The highest rate that held in every run; None if none did.")
    breaks_per_s: float | None = Field(description="The lowest rate that broke; None if none did.")
    complete: bool = Field(description="False if the search was stopped.")
    limited_by: str = Field(description="The bottleneck of the first run at breaks_per_s.")
    runs: tuple[LimitRun, ...]

    @property
    def held(self) -> Sequence[LimitRun]:
        """The runs at the rate that held."""
        return [run for run in self.runs if run.rate == self.holds_per_s]


def find_limit(
    options: BurstOptions,
    run: Callable[[BurstOptions], tuple[Summary, Path]],
    report: Callable[[LimitRun], None],
) -> FoundLimit:
    """Search; raise UsageError for options of another load. run: one burst. report: gets each result as it comes."""
    _check(options)
    search = LimitSearch(options.rate or DEFAULT_RATE)
    tag = (options.tag or [f"limit-{datetime.now().astimezone():%Y%m%d-%H%M%S}"])[0]
    if options.out is not None:
        claim_folder(options.out)
    runs: list[LimitRun] = []
    stopped = False
    while not stopped and (rate := search.next_rate()) is not None:
        out = None if options.out is None else options.out / f"{len(runs) + 1:02}"
        expect = [*(options.expect or ()), *(options.find_limit or ())]
        summary, folder = run(replace(options, rate=rate, expect=expect, tag=[tag], out=out, find_limit=None))
        if stopped := summary.stopped:
            break
        why = why_it_broke(summary)
        search.record(rate, holds=not why)
        runs.append(_limit_run(rate, why, summary, folder))
        report(runs[-1])
    broke = next((each for each in runs if each.rate == search.breaks and not each.holds), None)
    return FoundLimit(
        tag=tag,
        holds_per_s=search.holds,
        breaks_per_s=search.breaks,
        complete=not stopped,
        limited_by="" if broke is None else broke.bottleneck,
        runs=tuple(runs),
    )


def why_it_broke(summary: Summary) -> str:
    """Return why the rate was not sustained; empty if it was."""
    if not summary.verdict.good:
        return summary.broken_off or "not valid"
    missed = next((each for each in summary.expectations if not each.met), None)
    if missed is not None:
        return f"{missed.text}: {missed.measured:g}{missed.unit}"
    if summary.drain_s > max(_LEAST_DRAIN_S, _DRAIN_SHARE * summary.load_s):
        return f"a backlog grew: the drain took {summary.drain_s:.1f} s"
    late = summary.generator.late - summary.generator.waited_for_connection
    if late > _LATE_SHARE * summary.generator.orders:
        return f"{late:,} orders left late, so the load was not the one that was asked for"
    return ""


def _limit_run(rate: float, why: str, summary: Summary, folder: Path) -> LimitRun:
    bound = summary.bound
    return LimitRun(
        rate=rate,
        holds=not why,
        why=why,
        run=str(folder),
        accepted_per_s=summary.accepted_per_s,
        accept_p99_ms=summary.accept and summary.accept.p99_ms,
        end_to_end_p99_ms=summary.end_to_end and summary.end_to_end.p99_ms,
        bottleneck="" if bound is None or bound.by == "load" else f"{bound.by}: {bound.text}",
    )


def _check(options: BurstOptions) -> None:
    for text in options.find_limit or ():
        parsed("--find-limit", parse_threshold, text)
    for name in _OTHER_LOADS:
        if getattr(options, name) is not None:
            raise UsageError(f"--find-limit sets the rate: leave out --{name}; --rate is where it begins.")
    if options.repeat > 1:
        raise UsageError("--find-limit repeats the rate that it finds by itself: leave out --repeat.")

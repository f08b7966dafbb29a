"""--find-limit: the same load at one scale after another, until the highest is known that meets the thresholds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from orderboard.burst.judge.limit_search import LimitSearch
from orderboard.burst.judge.threshold_text import parse_threshold
from orderboard.burst.load.stream import Closed
from orderboard.burst.measured_system import Where
from orderboard.burst.model import Summary
from orderboard.burst.model.base import Value
from orderboard.burst.options import BurstOptions
from orderboard.burst.runs.folders import claim_folder
from orderboard.burst.runs.kept import parse_tag
from orderboard.burst.scenario.check import CheckedBurst, check
from orderboard.burst.scenario.configured import configured
from orderboard.errors import RigError, UsageError
from orderboard.option_values import parsed

_DRAIN_SHARE: Final = 0.1  # of the load: a longer drain means that a backlog grew
_LEAST_DRAIN_S: Final = 2.0
_LATE_SHARE: Final = 0.01
_HIGHEST_PER_S: Final = 100_000.0
_LOWEST_PER_S: Final = 1.0
_EVEN: Final = ("constant", "poisson")


class LimitRun(Value):
    """A burst at one scale."""

    scale: float = Field(description="Every rate of the load was multiplied by this.")
    rate: float = Field(description="Orders a second, the mean of the load.")
    holds: bool
    why: str = Field(description="Of a rate that broke; empty of one that held.")
    run: str = Field(description="The run's folder.")
    accepted_per_s: float
    accept_p99_ms: float | None
    end_to_end_p99_ms: float | None
    bottleneck: str = ""


class FoundLimit(Value):
    """The result of a search."""

    format: Literal["orderboard.limit.v1"] = "orderboard.limit.v1"
    tag: str
    load: str = Field(description="The load at the scale 1.")
    even: bool = Field(description="The rate is the same all the time; else rates are means.")
    holds_scale: float | None = Field(description="The highest scale that held in every run; None if none did.")
    holds_per_s: float | None = Field(description="The rate at that scale.")
    breaks_scale: float | None = Field(description="The lowest scale that broke; None if none did.")
    breaks_per_s: float | None = Field(description="The rate at that scale.")
    complete: bool = Field(description="False if the search was stopped.")
    limited_by: str = Field(description="The bottleneck of the first run at breaks_per_s.")
    runs: tuple[LimitRun, ...]

    @property
    def held(self) -> Sequence[LimitRun]:
        """The runs at the rate that held."""
        return [run for run in self.runs if run.scale == self.holds_scale]


def find_limit(
    options: BurstOptions,
    where: Where,
    run: Callable[[BurstOptions], tuple[Summary, Path]],
    report: Callable[[LimitRun], None],
) -> FoundLimit:
    """Search; raise UsageError for options that do not go with it. run: one burst. report: gets each result."""
    planned = planned_search(options, where)
    first = planned.config.scale
    rate = planned.settings.rate / first  # at the scale 1
    fewest = min(stream.planned or 1 for stream in planned.plan.streams) / first
    lowest = max(_LOWEST_PER_S / rate, planned.plan.generators / fewest)  # an order for each generator
    search = LimitSearch(first, lowest=min(first, lowest), highest=_HIGHEST_PER_S / rate)
    tags = [parsed("--tag", parse_tag, tag) for tag in options.tag or ()]
    tags = tags or [f"limit-{datetime.now().astimezone():%Y%m%d-%H%M%S}"]
    if options.out is not None:
        claim_folder(options.out)
    expect = list(planned.config.expect)
    runs: list[LimitRun] = []
    stopped = False
    while (scale := search.next_rate()) is not None:
        out = None if options.out is None else options.out / f"{len(runs) + 1:02}"
        summary, folder = run(replace(options, scale=scale, expect=expect, tag=tags, out=out, find_limit=None))
        if summary.generator.ended:
            raise RigError(f"The search ended: {summary.broken_off} Its runs are kept; their tag is {tags[0]}.")
        if stopped := summary.stopped:
            break
        why = why_it_broke(summary)
        search.record(scale, holds=not why)
        runs.append(_limit_run(scale, round(rate * scale, 3), why, summary, folder))
        report(runs[-1])
    broke = next((each for each in runs if each.scale == search.breaks and not each.holds), None)
    return FoundLimit(
        tag=tags[0],
        load=planned.settings.profile,
        even=planned.settings.profile.partition(":")[0] in _EVEN,
        holds_scale=search.holds,
        holds_per_s=None if search.holds is None else round(rate * search.holds, 3),
        breaks_scale=search.breaks,
        breaks_per_s=None if broke is None else broke.rate,
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
        return f"{missed.text}: {missed.in_words}"
    if summary.drain_s > max(_LEAST_DRAIN_S, _DRAIN_SHARE * summary.load_s):
        return f"a backlog grew: the drain took {summary.drain_s:.1f} s"
    for each in summary.generator.split:
        late = each.late - each.waited_for_connection
        if late > _LATE_SHARE * each.orders:
            return f"{late:,} orders left late, so the load was not the one that was asked for"
    return ""


def _limit_run(scale: float, rate: float, why: str, summary: Summary, folder: Path) -> LimitRun:
    bound = summary.bound
    return LimitRun(
        scale=scale,
        rate=rate,
        holds=not why,
        why=why,
        run=str(folder),
        accepted_per_s=summary.accepted_per_s,
        accept_p99_ms=summary.accept and summary.accept.p99_ms,
        end_to_end_p99_ms=summary.end_to_end and summary.end_to_end.p99_ms,
        bottleneck="" if bound is None or bound.by == "load" else f"{bound.by}: {bound.text}",
    )


def planned_search(options: BurstOptions, where: Where) -> CheckedBurst:
    """Check the options; raise UsageError."""
    for text in options.find_limit or ():
        parsed("--find-limit", parse_threshold, text)
    if options.repeat > 1:
        raise UsageError("--find-limit repeats the rate that it finds by itself: leave out --repeat.")
    if options.junit is not None:
        raise UsageError(
            "--find-limit: runs that break are a part of the search, so leave out --junit; --json has all."
        )
    expect = [*configured(options).expect, *(options.find_limit or ())]
    planned = check(replace(options, expect=expect), where)
    if (closed := next((each for each in planned.plan.streams if isinstance(each.load, Closed)), None)) is not None:
        stream = f" of the stream {closed.name}" if closed.name else ""
        raise UsageError(
            f"--find-limit raises rates, but the clients{stream} send less when the system slows down, so no rate is "
            "offered that it cannot take. Use --rate or --stage with rates."
        )
    return planned

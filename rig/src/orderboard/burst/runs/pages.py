"""The pages of several runs, drawn like the report of one: a comparison, and the index of all runs with trends."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from orderboard.burst.model import Latency, Summary, TimelineRow
from orderboard.burst.report.files import REPORT_FILE
from orderboard.burst.report.html import page
from orderboard.burst.runs.comparison import Comparison
from orderboard.burst.runs.differences import plan_of
from orderboard.burst.runs.kept import Group, KeptRun, kept_runs, write_at_once

INDEX_FILE: Final = "index.html"
INDEXED_RUNS: Final = 200  # each takes 5 ms after a burst
_COLUMNS: Final = (
    *("accepted", "finished", "work_visible", "express_visible"),
    *("accept_p99_ms", "end_to_end_p99_ms", "oldest_age_s"),
)
_FIGURES: Final[Mapping[str, Callable[[Latency], float]]] = {
    "p50_ms": lambda found: found.p50_ms,
    "p99_ms": lambda found: found.p99_ms,
}


def comparison_page(comparison: Comparison, before: Group, after: Group) -> str:
    """Return the page of a comparison. Of a group, the charts have the median of its runs in each second."""
    document = {
        "comparison": json.loads(comparison.model_dump_json()),
        "sides": [_side(group) for group in (before, after)],
    }
    return page(f"{before.name} and {after.name} compared", document, "compare.js")


def write_index(runs: Path) -> Path:
    """Write the index of a folder of runs, of the newest if they are many, and return its path."""
    path = runs / INDEX_FILE
    write_at_once(path, index_page(kept_runs(runs, newest=INDEXED_RUNS)))
    return path


def index_page(runs: Sequence[KeptRun]) -> str:
    """Return the page of all runs. Those with the same plan have a trend in common."""
    plans = [json.dumps(plan_of(run.summary), sort_keys=True) for run in runs]
    numbers = {plan: number for number, plan in enumerate(dict.fromkeys(plans))}
    document = [_entry(run, numbers[plan]) for run, plan in zip(runs, plans, strict=True)]
    return page(f"{len(runs)} bursts", {"runs": document}, "runs.js")


def _entry(run: KeptRun, plan: int) -> dict[str, Any]:
    summary = run.summary
    settings, ledger = summary.settings, summary.verdict.basis == "ledger"
    return {
        "name": run.name,
        "report": f"{run.name}/{REPORT_FILE}" if (run.folder / REPORT_FILE).is_file() else None,
        "started_at": summary.started_at.isoformat(),
        "plan": plan,
        "valid": summary.verdict.good,
        "verdict": re.split("[:,]", summary.verdict.headline)[0].lower(),
        "tags": summary.tags,
        "note": summary.note,
        "orders": settings.orders,
        "load": f"{settings.profile}, {settings.duration_s:g} s at {settings.rate:g}/s",
        "more": _more(summary),
        "accepted_per_s": summary.accepted_per_s,
        "finished_per_s": summary.finished_per_s if ledger else None,
        "drain_s": summary.drain_s if ledger else None,
        **{
            f"{of}_{name}": None if found is None else pick(found)
            for of, found in (("accept", summary.accept), ("end_to_end", summary.end_to_end))
            for name, pick in _FIGURES.items()
        },
    }


def _more(summary: Summary) -> str:
    """Return what else a plan has: workers, backend, faults; or the target."""
    settings = summary.settings
    if settings.target is not None:
        return settings.target
    faults = f"{len(settings.faults)} fault{'' if len(settings.faults) == 1 else 's'}" if settings.faults else ""
    return ", ".join(filter(None, (settings.workers_text, settings.backend, faults, settings.disorder and "disorder")))


def _side(group: Group) -> dict[str, Any]:
    timelines = [run.files().timeline for run in group.runs]
    ledger = all(summary.verdict.basis == "ledger" for summary in group.summaries)
    return {
        "load_s": median(summary.load_s for summary in group.summaries),
        "command": group.summaries[0].settings.command,
        "timeline": _medians(timelines) | ({} if ledger else {"finished": []}),
        "curves": {
            "accept": _curve(summary.accept for summary in group.summaries),
            "end_to_end": _curve(summary.end_to_end for summary in group.summaries),
        },
    }


def _medians(timelines: Sequence[Sequence[TimelineRow]]) -> dict[str, list[float | None]]:
    seconds = range(max(map(len, timelines), default=0))
    rows = [[timeline[at_s] for timeline in timelines if at_s < len(timeline)] for at_s in seconds]
    return {
        "at_s": list(seconds),
        **{name: [_median(getattr(row, name) for row in of_second) for of_second in rows] for name in _COLUMNS},
    }


def _curve(latencies: Iterable[Latency | None]) -> list[list[float]]:
    """Return pairs of percentile and milliseconds: the medians of the runs at the percentiles that all of them have."""
    curves = [{point.percentile: point.ms for point in found.curve} for found in latencies if found is not None]
    common = [each for each in curves[0] if all(each in curve for curve in curves)] if curves else []
    return [[percentile, median(curve[percentile] for curve in curves)] for percentile in common]


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 3) if known else None

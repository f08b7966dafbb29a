"""The options of a burst's thresholds, files and views."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

_METRICS_HELP: Final = (
    "A threshold, such as 'accept_p99<50ms' or 'refused<1%'; exit 99 when it is missed. Latencies: accept_ and "
    "end_to_end_ each with mean, max or any percentile, such as p50, p99.9 or p999; those of a step, step_waiting_p99, "
    "also of accept, sns_to_queue, working, outcome, alert and queue, each with mean, p50, p90, p99 or max. Times: "
    "load, drain, settled. "
    "Orders, as a number or a share in %: attempted, acknowledged, refused, refused_unmeant, unavailable, unreached, "
    "finished, completed, rejected, cancelled, dead_lettered, dead_lettered_duplicates, lost, duplicated, recovered, "
    "unexpected, unsettled, generator_late, generator_not_sent. Others: accepted_per_s, finished_per_s, peak_backlog, "
    "generator_lag_p99_ms, requests_per_1000_orders, usd_per_1000_orders, memory_mb. Latencies and answers also of "
    "some orders, by kind, stream and phase: 'accept_p99{phase=after}<200ms'; phases are before, during and after "
    "faults."
)


def _result(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The result", **more)


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """Thresholds, files and views."""

    give_up_after: Annotated[
        str | None,
        _result(
            "End the drain after this long without any change; a failed alert is retried after 60 s.",
            show_default="90s",
            metavar="TIME",
        ),
    ] = None
    expect: Annotated[list[str] | None, _result(_METRICS_HELP, metavar="METRIC<NUMBER", show_default=False)] = None
    abort_on_fail: Annotated[
        list[str] | None,
        _result(
            "A threshold on latencies or answers that is checked all the time from 5 s on: the load stops once it is "
            "missed, and what was sent is judged.",
            metavar="METRIC<NUMBER",
            show_default=False,
        ),
    ] = None
    find_limit: Annotated[
        list[str] | None,
        _result(
            "Find the highest rate that meets these thresholds (and builds up no backlog): bursts at --rate, or with "
            "the --stage or the streams given, then at twice that until one breaks, then between, then three at the "
            "--scale that held. Repeatable.",
            metavar="METRIC<NUMBER",
            show_default=False,
        ),
    ] = None
    junit: Annotated[
        Path | None, _result("Write the verdict and the thresholds as JUnit XML.", show_default=False, metavar="FILE")
    ] = None
    live: Annotated[
        bool,
        _result(
            "Serve a page of the running burst on 127.0.0.1, with charts, a button that stops the load, and /metrics "
            "for Prometheus.",
            "--live",
        ),
    ] = False
    live_port: Annotated[
        int | None,
        _result("--live, on this port.", metavar="PORT", min=1, max=65535, show_default="8070 if free, else any"),
    ] = None
    export: Annotated[
        str | None,
        _result(
            "More files of the run: ndjson and csv (a line for every order), hdr (HdrHistogram's log), openmetrics, "
            "markdown (for a pull request).",
            metavar="FORMAT,...",
            show_default=False,
        ),
    ] = None
    out: Annotated[
        Path | None,
        _result(
            "Folder for report.html, summary.json and timeline.csv.",
            show_default=".orderboard/bursts/TIME",
            metavar="FOLDER",
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        _result(
            "Tag the run. Runs with the same tag are a group for `compare`. Repeatable.",
            metavar="TAG",
            show_default=False,
        ),
    ] = None
    note: Annotated[
        str, _result("A note, which the list of runs and the report show.", metavar="TEXT", show_default=False)
    ] = ""
    repeat: Annotated[
        int,
        _result(
            "Run it so many times, each on a new system, as a group with a common tag.", metavar="N", min=1, max=100
        ),
    ] = 1

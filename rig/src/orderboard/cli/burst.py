"""`orderboard burst`: load on time. Exit 0: valid, and as expected. 1: not valid. 99: an --expect was missed."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from pathlib import Path
from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, DisorderOption, EndpointOption, JsonOption, YesOption
from orderboard.errors import RigError
from orderboard.terminal.progress import error_console, result_console

THRESHOLD_MISSED: Final = 99
EXAMPLES: Final = (
    "orderboard burst --orders 10000 --duration 40s --profile spike --stop-worker 5s@15s",
    "orderboard burst --rate 200 --duration 1m --profile poisson --expect 'accept_p99_ms<50' --expect 'drain_s<30'",
)
_LOAD, _FAULTS, _RESULT = "The load", "What is done to the workers", "The result"
_METRICS_HELP: Final = (
    "A threshold, such as 'accept_p99_ms<50'; exit 99 when it is missed. Metrics: accept_ and end_to_end_ each with "
    "mean_ms, p50_ms, p90_ms, p95_ms, p99_ms, p999_ms, max_ms; accepted_per_s, finished_per_s, load_s, drain_s, "
    "peak_backlog; attempted, acknowledged, refused, unavailable, completed, rejected, cancelled, dead_lettered, lost, "
    "duplicated, recovered, unexpected, unsettled; generator_late, generator_not_sent, generator_lag_p99_ms; "
    "requests_per_1000_orders, usd_per_1000_orders, memory_mb."
)
Times = list[str] | None


def burst(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    orders: Annotated[
        int | None, typer.Option(min=1, help="How many orders.", rich_help_panel=_LOAD, show_default=False)
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="Over how long, such as 40s or 2m.", rich_help_panel=_LOAD, show_default=False),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Orders a second, in the mean. Give two of the three.", rich_help_panel=_LOAD, show_default=False
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            help="constant, ramp, spike, sawtooth or poisson; with settings: sawtooth:teeth=8, "
            "spike:factor=20,at=0.5 (at and lasts are shares of the duration).",
            rich_help_panel=_LOAD,
        ),
    ] = "constant",
    trace: Annotated[
        Path | None,
        typer.Option(
            help="Send times from a file, one a line, in seconds or ISO 8601.",
            rich_help_panel=_LOAD,
            show_default=False,
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(
            help="Percent of each kind: express, large, sold_out, invalid, duplicate, cancel, flaky, slow, poison; "
            "what is left is normal. Default: express=10, large=2, sold_out=1, "
            "invalid=1, duplicate=2, cancel=2, poison=0.1.",
            rich_help_panel=_LOAD,
            show_default=False,
        ),
    ] = None,
    own_orders: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Your own orders, JSON Lines as `place` reads them; used again from the first when too few.",
            rich_help_panel=_LOAD,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(help="The same seed gives the same orders, with the same ids, and times.", rich_help_panel=_LOAD),
    ] = 1,
    connections: Annotated[
        int,
        typer.Option(min=1, max=20_000, help="Requests under way at once, at most.", rich_help_panel=_LOAD),
    ] = 512,
    workers: Annotated[
        Times,
        typer.Option(
            help="How many workers: 2, or 2@12s for that many from then on. Repeatable.",
            rich_help_panel=_FAULTS,
            metavar="N[@TIME]",
            show_default="1",
        ),
    ] = None,
    stop_worker: Annotated[
        Times,
        typer.Option(
            help="Stop all workers in order (SIGTERM) and start as many again after that long.",
            rich_help_panel=_FAULTS,
            metavar="FOR@TIME",
            show_default=False,
        ),
    ] = None,
    freeze_worker: Annotated[
        Times,
        typer.Option(
            help="Freeze all workers (SIGSTOP) with orders in hand, for that long.",
            rich_help_panel=_FAULTS,
            metavar="FOR@TIME",
            show_default=False,
        ),
    ] = None,
    kill_worker: Annotated[
        Times,
        typer.Option(
            help="Kill one worker (SIGKILL) with orders in hand, and start another.",
            rich_help_panel=_FAULTS,
            metavar="@TIME",
            show_default=False,
        ),
    ] = None,
    disorder: DisorderOption = None,
    give_up_after: Annotated[
        str,
        typer.Option(
            help="End the drain when nothing has moved for so long; an alert that failed comes back after 60 s.",
            rich_help_panel=_RESULT,
        ),
    ] = "90s",
    expect: Annotated[
        Times,
        typer.Option(help=_METRICS_HELP, rich_help_panel=_RESULT, metavar="METRIC<NUMBER", show_default=False),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(help="Write verdict and thresholds as JUnit XML.", rich_help_panel=_RESULT, show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where report.html, summary.json and timeline.csv go.",
            rich_help_panel=_RESULT,
            show_default=".orderboard/bursts/TIME",
        ),
    ] = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Send orders on time, whatever the system does, hurt the workers meanwhile, and prove that nothing was lost.

    It starts a system of its own and ends it. Exit 0: valid, and all that was expected. 1: not valid. 2: used wrongly.
    99: valid, but an --expect was missed.
    """
    from orderboard.burst.options import Typed, burst_options
    from orderboard.burst.report.files import REPORT_FILE
    from orderboard.burst.report.forecast import warning
    from orderboard.burst.report.html import write_report
    from orderboard.burst.run import run_burst
    from orderboard.calibration.model import newest_calibration
    from orderboard.system.workspace import find_workspace

    options = burst_options(
        Typed(
            backend=backend,
            endpoint_url=endpoint_url,
            orders=orders,
            duration=duration,
            rate=rate,
            profile=profile,
            trace=trace,
            mix=mix,
            own_orders=own_orders,
            seed=seed,
            workers=workers or (),
            stop_worker=stop_worker or (),
            freeze_worker=freeze_worker or (),
            kill_worker=kill_worker or (),
            expect=expect or (),
            junit=junit,
            connections=connections,
            give_up_after=give_up_after,
            out=out,
            yes=yes,
            disorder=disorder,
        )
    )
    calibration = newest_calibration(find_workspace().state_dir, options.settings.backend)
    if (said := warning(options.plan, backend=options.settings.backend, calibration=calibration)) is not None:
        error_console().print(f"Mind: {said}", markup=False, soft_wrap=True)
    run = run_burst(options)
    write_report(run, options.out / REPORT_FILE)
    if junit is not None:
        from orderboard.burst.report.junit import write_junit

        try:
            write_junit(run.summary, junit)
        except OSError as exc:
            raise RigError(f"{junit}: {exc.strerror}; the other files are in {options.out}") from exc
    if json_output:
        print(run.summary.model_dump_json(indent=2))
    else:
        from orderboard.burst.report.terminal import show

        show(run.summary, options.out, result_console())
    raise typer.Exit(exit_code(valid=run.summary.verdict.valid, met=all(each.met for each in run.summary.expectations)))


def exit_code(*, valid: bool, met: bool) -> int:
    """What the two come to: a bad verdict outweighs a missed threshold."""
    if not valid:
        return 1
    return 0 if met else THRESHOLD_MISSED

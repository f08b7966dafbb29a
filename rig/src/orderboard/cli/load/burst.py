"""`orderboard burst`: load on a fixed schedule, and a verdict on every order."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import inspect
import shlex
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from orderboard.burst.options import BurstOptions
from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.errors import RigError, UsageError
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import confirm, error_console, print_json, result_console

if TYPE_CHECKING:
    from pathlib import Path

    from orderboard.burst.live.feed import Feed
    from orderboard.burst.measured_system import Where
    from orderboard.burst.measurement import StartGenerators
    from orderboard.burst.model import Summary
    from orderboard.burst.plan import PlannedBurst

THRESHOLD_MISSED: Final = 99
STOPPED: Final = 128 + signal.SIGINT
EXAMPLES: Final = (
    "orderboard burst --orders 10000 --duration 40s --profile spike --stop-worker 5s@15s",
    "orderboard burst --orders 5000 --kill-backend @10s --kill-api @20s --faults error_after=0.1@30s --faults none@35s",
    "orderboard burst --stage 30s:100 --stage 1m:100..400 --stage 30s:0",
    "orderboard burst --stage 30s:0c..50c --stage 1m:50c --think 100ms",
    "orderboard burst --find-limit 'accept_p99<100ms' --stage 10s:20..60 --stage 20s:60",
    "orderboard burst --rate 4000 --duration 30s --generators 3",
    "orderboard burst --config burst.toml --print-config",
    "orderboard burst --running --rate 50 --duration 20s",
    "orderboard burst --api-url https://orders.example.com --rate 20 --max-cost 1.00",
    "orderboard burst --rate 200 --duration 1m --profile poisson --expect 'accept_p99<50ms' --expect 'drain<30s'",
)


def burst(
    context: typer.Context,
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
    **options: Any,
) -> None:
    """Send orders on a fixed schedule, inject faults, and verify that no order was lost.

    It starts a system for the burst and ends it afterwards; --running and --api-url send to one that runs already.
    Ctrl-C stops the load, drains and judges what was sent; another Ctrl-C quits, and keeps what was measured.

    Exit 0: valid, and every --expect was met. 1: not valid, or a generator ended early. 2: wrong usage. 99: valid, but
    an --expect was missed. 130: stopped by Ctrl-C.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context, context.invoked_subcommand)
        return
    from orderboard.burst.measured_system import Where

    run_bursts(BurstOptions(**options), Where(backend, endpoint_url, yes=yes), json_output=json_output)


def run_bursts(
    typed: BurstOptions, where: "Where", *, json_output: bool, start_generators: "StartGenerators | None" = None
) -> NoReturn:
    """Run the burst, its repetitions or the search, and exit. start_generators: instead of those of this machine."""
    from orderboard.burst.report.files import write_junit
    from orderboard.burst.report.terminal import show
    from orderboard.burst.runs.repeat import repetitions

    if typed.print_config:
        print(_config(typed, where), end="")
        raise typer.Exit
    summaries: list[Summary] = []
    with ExitStack() as stack:
        if typed.find_limit:
            _find_limit(typed, where, stack, start_generators, json_output=json_output)
        feed = _live_feed(typed, stack)
        for number, each in enumerate(repetitions(typed), 1):
            if typed.repeat > 1:
                say(f"Run {number} of {typed.repeat}")
            summary, out = _run(each, where, feed, start_generators)
            where = replace(where, yes=True)  # it was agreed to
            summaries.append(summary)
            if not json_output:
                show(summary, out, result_console())
            if summary.broken_off:
                break
    if typed.junit is not None:
        try:
            write_junit(summaries, typed.junit)
        except OSError as exc:
            raise RigError(f"{typed.junit}: {exc.strerror}. The other files are in {out}.") from exc
    if json_output:
        documents = [summary.document() for summary in summaries]
        print_json(documents if typed.repeat > 1 else documents[0])
    elif typed.repeat > 1:
        side = shlex.quote(str(typed.out or summary.tags[0]))
        say(f"{len(summaries)} runs in {side}" if typed.out else f"{len(summaries)} runs with the tag {side}")
        say(f"Compare them with others: orderboard compare {side} OTHERS")
    raise typer.Exit(exit_code(*summaries))


def _refuse_options_before(context: typer.Context, command: str) -> None:
    """Raise UsageError for an option that was typed before the name of a subcommand, which would not get it."""
    for param in context.command.params:
        source = context.get_parameter_source(param.name or "")
        if source is not None and source.name == "COMMANDLINE":
            option = param.opts[0]
            raise UsageError(f"{option}: write it after {command}, as in `burst {command} {option} ...`.")


def _find_limit(
    options: BurstOptions,
    where: "Where",
    stack: ExitStack,
    start_generators: "StartGenerators | None",
    *,
    json_output: bool,
) -> NoReturn:
    """Search the limit, show each run as it ends, and exit."""
    from orderboard.burst.report.limit import show_limit
    from orderboard.burst.runs.find_limit import LimitRun, find_limit

    def report(run: LimitRun) -> None:
        say(f"{run.rate:g} a second (--scale {run.scale:g}) {'holds' if run.holds else f'breaks: {run.why}'}")

    feed = _live_feed(options, stack)
    found = find_limit(options, where, lambda each: _run(each, where, feed, start_generators), report)
    if json_output:
        print_json(found.model_dump(mode="json"))
    else:
        show_limit(found, options.out, result_console())
    if not found.complete:
        raise typer.Exit(STOPPED)
    raise typer.Exit(0 if found.holds_per_s is not None else THRESHOLD_MISSED)


def _live_feed(options: BurstOptions, stack: ExitStack) -> "Feed | None":
    """Serve the live page if it was asked for, and push the metrics if OpenTelemetry's variables ask for that."""
    from orderboard.system.telemetry import asked_for

    live, by_otlp = options.live or options.live_port is not None, asked_for("metrics")
    if not live and not by_otlp:
        return None
    from orderboard.burst.live.feed import Feed

    feed = Feed()
    if by_otlp:
        from orderboard.burst.export.otlp import pushed

        stack.enter_context(pushed(feed, say))
    if live:
        from orderboard.burst.live.server import live_page

        say(f"Live: {stack.enter_context(live_page(feed, options.live_port))}")
    return feed


def _config(options: BurstOptions, where: "Where") -> str:
    """Return the effective configuration, after every check."""
    from orderboard.burst.runs.find_limit import planned_search
    from orderboard.burst.scenario.check import check
    from orderboard.burst.scenario.config_file import to_toml

    if options.find_limit:
        planned_search(options, where)
    return to_toml(check(options, where).config)


def _run(
    options: BurstOptions, where: "Where", feed: "Feed | None", start_generators: "StartGenerators | None"
) -> "tuple[Summary, Path]":
    """Run one burst, after warnings of what would make it useless or long."""
    from orderboard.burst.plan import plan_burst
    from orderboard.burst.report.files import REPORT_FILE
    from orderboard.burst.report.forecast import warning
    from orderboard.burst.run import run_burst
    from orderboard.burst.runs.pages import write_index
    from orderboard.burst.stop import Stop
    from orderboard.calibration.model import newest_calibration
    from orderboard.system.workspace import find_workspace

    planned = plan_burst(options, where)
    if start_generators is not None:
        planned = replace(planned, plan=replace(planned.plan, start_generators=start_generators))
    for late in planned.warnings:
        say(f"Warning: {late}")
    calibration = newest_calibration(find_workspace().state_dir, planned.settings.backend)
    if (text := warning(planned.plan, backend=planned.settings.backend, calibration=calibration)) is not None:
        say(f"Warning: {text}")
    _agree(planned, options.repeat, yes=where.yes)
    stop = Stop()
    if feed is not None:
        feed.begin(planned.settings, stop, answers_only=planned.answers_only)
    summary = run_burst(planned, stop, *([] if feed is None else [feed])).summary
    if feed is not None:
        feed.end(summary, str(planned.out / REPORT_FILE))
    if options.out is None:
        try:
            write_index(planned.out.parent)
        except OSError as exc:  # the run is kept all the same
            say(f"Warning: the index of all runs was not written: {exc}")
    return summary, planned.out


def _agree(planned: "PlannedBurst", repeat: int, *, yes: bool) -> None:
    """Say what it costs on AWS, ask before it is sent, and name what an earlier burst left there."""
    from orderboard.burst.targets.estimate import in_words, planned_orders
    from orderboard.ledger.leftovers import named_leftovers
    from orderboard.system.backends import consent

    if planned.stack is not None and (left := named_leftovers(planned.stack)) is not None:
        say(f"Warning: {left}")
    if not planned.may_cost:
        return
    say(in_words(planned.estimated, planned_orders(planned.plan.streams), repeat))
    if planned.stack is not None:
        consent(planned.stack.endpoint, yes=yes)
    elif planned.target is not None:
        confirm(f"This sends orders to {planned.target.api_url}, which is not on this machine.", yes=yes)


def say(text: str) -> None:
    """Print a line of progress, or a warning, with its commands as this user has to type them."""
    error_console().print(to_paste(text), markup=False, soft_wrap=True)


def with_burst_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every option of a burst in place of its keywords; typer reads the signature."""
    shared = [each for each in inspect.signature(command).parameters.values() if each.kind is not each.VAR_KEYWORD]
    parameters = [*shared, *inspect.signature(BurstOptions).parameters.values()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


with_burst_options(burst)


def exit_code(*summaries: "Summary") -> int:
    """Return the exit code: what is wrong with orders outweighs that a run was stopped, and that a threshold."""
    verdicts = [summary.verdict for summary in summaries]
    if any(
        each.lost or each.duplicated or each.unexpected or each.refused_unmeant or each.generators_ended
        for each in verdicts
    ):
        return 1
    if any(summary.stopped for summary in summaries):
        return STOPPED
    if not all(each.good for each in verdicts):
        return 1
    met = all(each.met for summary in summaries for each in summary.expectations)
    return 0 if met else THRESHOLD_MISSED

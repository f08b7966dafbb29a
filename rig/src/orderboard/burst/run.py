"""A burst from start to end: start a system for it, run the plan, summarize, write the files."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress

from orderboard.burst.export.files import Exported, export
from orderboard.burst.judge.bottleneck import bottleneck
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.plan import PlannedBurst
from orderboard.burst.report.files import BurstFiles
from orderboard.burst.report.live_view import View, burst_view
from orderboard.burst.runner import Runner
from orderboard.burst.runs.kept import keep_run
from orderboard.burst.scenario.config_file import CONFIG_FILE, to_toml
from orderboard.burst.stop import Stop, stopped_by_ctrl_c
from orderboard.burst.summarize import sees_processes, summarize
from orderboard.burst.targets.answers_runner import AnswersRunner
from orderboard.burst.targets.given_system import given_system
from orderboard.calibration.model import read_calibration
from orderboard.system.backends import version_of
from orderboard.system.system import System, running_system
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import progress_screen


def run_burst(
    burst: PlannedBurst,
    stop: Stop | None = None,
    *views: View,
    at_end: Callable[[System], object] = lambda _: None,
) -> BurstFiles:
    """Run it and write its files to `out`. The services' logs stay only if the verdict is not valid.

    stop: lets Ctrl-C stop the load and drain; without it, Ctrl-C ends everything. views: beside that of the terminal.
    at_end: gets the system after the drain, before it ends.
    """
    logs_dir = burst.system.services.logs_dir
    try:
        files, exported = _run(burst, stop, *views, at_end=at_end)
    except BaseException as exc:
        if isinstance(exc, KeyboardInterrupt):
            shutil.rmtree(logs_dir, ignore_errors=True)
        with suppress(OSError):  # they are not empty, or were not made
            logs_dir.rmdir()
        with suppress(OSError):
            burst.out.rmdir()
        raise
    (burst.out / CONFIG_FILE).write_text(to_toml(burst.config), encoding="utf-8")
    keep_run(files, burst.out)
    export(exported, burst.exports, burst.out)
    if files.summary.verdict.good or burst.target is not None:
        shutil.rmtree(logs_dir, ignore_errors=True)
    return files


def _run(
    burst: PlannedBurst, stop: Stop | None, *views: View, at_end: Callable[[System], object]
) -> tuple[BurstFiles, Exported]:
    calibration = None
    with ExitStack() as stack:
        system = _system(burst, stack)
        if system is not None:
            endpoint = system.target.endpoint
            calibration = read_calibration(find_workspace().state_dir, endpoint.name, version_of(endpoint))
        with stopped_by_ctrl_c(stop) if stop is not None else nullcontext(), burst_view(*views) as view:
            if system is not None:
                result = Runner(system, burst.plan, view, stop).run()
            else:
                result = AnswersRunner(str(burst.target and burst.target.api_url), burst.plan, view, stop).run()
        summary = summarize(burst, result, system)
        if system is not None:
            at_end(system)
    if not summary.broken_off and system is not None and sees_processes(burst):
        summary = summary.model_copy(update={"bound": bottleneck(summary, result.timeline, calibration)})
    seen = Seen(result.recorder.records, result.windows, summary)
    missed = {each.text: each for each in result.missed}  # when they stopped the load
    expectations = tuple(missed.get(str(each)) or each.check(seen) for each in burst.thresholds)
    summary = summary.model_copy(update={"expectations": expectations})
    return BurstFiles(summary, result.timeline), Exported(summary, result.recorder, result.judgement.ledger)


def _system(burst: PlannedBurst, stack: ExitStack) -> System | None:
    """Return the system: a new one, or the one that runs already; None for order-api alone."""
    if burst.target is None:
        with progress_screen() as screen:
            return stack.enter_context(running_system(burst.system, screen))
    return None if burst.stack is None else given_system(burst.stack, burst.target, burst.system)

"""A burst from start to end: start a system for it, run the plan, summarize, write the files."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from datetime import UTC, datetime

from orderboard.burst.export.files import Exported, export
from orderboard.burst.judge.bottleneck import bottleneck
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.measure.groups import latency_groups
from orderboard.burst.measure.percentiles import rate
from orderboard.burst.measurement import RunResult
from orderboard.burst.model import Cost, ProcessMemory, Settings, Summary, TimelineRow
from orderboard.burst.plan import PlannedBurst
from orderboard.burst.report.cost import cost, notifier_at_most
from orderboard.burst.report.files import BurstFiles
from orderboard.burst.report.live_view import View, burst_view
from orderboard.burst.runner import BACKEND_GONE, Runner
from orderboard.burst.runs.kept import keep_run
from orderboard.burst.scenario.config_file import CONFIG_FILE, to_toml
from orderboard.burst.stop import STOPPED, Stop, stopped_by_ctrl_c
from orderboard.burst.targets.answers_runner import AnswersRunner
from orderboard.burst.targets.estimate import estimate
from orderboard.burst.targets.given_system import given_system
from orderboard.calibration.model import read_calibration
from orderboard.system.backends import version_of
from orderboard.system.host import this_host
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
        summary = _summary(burst, result, system)
        if system is not None:
            at_end(system)
    if not summary.broken_off and system is not None and _sees_processes(burst):
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


def _sees_processes(burst: PlannedBurst) -> bool:
    """Return whether the system runs on this machine, so that its processor time says what limited it."""
    return burst.target is None or burst.target.state is not None


def _cost(burst: PlannedBurst, result: RunResult) -> Cost:
    """Return the cost of the requests; estimated where others make requests of the same services, too."""
    verdict = result.judgement.verdict
    if burst.target is not None or burst.settings.worker == "lambda":  # nobody can ask a function for its counts
        return estimate(result.sent, None, burst.prices)
    return cost(
        result.requests | notifier_at_most(verdict.alerts_announced),
        orders=verdict.acknowledged + verdict.recovered,
        prices=burst.prices,
    )


def _summary(burst: PlannedBurst, result: RunResult, system: System | None) -> Summary:
    recorder, verdict, settings = result.recorder, result.judgement.verdict, _as_run(burst.settings, result)
    return Summary(
        started_at=datetime.fromtimestamp(result.started_at, UTC),
        tags=burst.tags,
        note=burst.note,
        settings=settings,
        verdict=verdict,
        broken_off=_broken_off(burst, result),
        stopped=bool(result.stopped_by) and not result.missed and not _ended(result),
        warnings=burst.warnings,
        load_s=round(result.load_s, 3),
        drain_s=round(max(0.0, result.orders_ended_s - result.load_s), 3),
        settled_s=round(max(0.0, result.ended_s - result.load_s), 3),
        accepted_per_s=rate(recorder.accepted, result.load_s),
        finished_per_s=rate(recorder.finished, recorder.last_finish_s),
        last_outcome_s=round(recorder.last_finish_s, 3) if recorder.finished else None,
        peak_backlog=result.peak_backlog,
        accept=recorder.accept(),
        end_to_end=recorder.end_to_end(),
        groups=latency_groups(recorder.records()),
        generator=recorder.generator_stats(
            result.generators,
            connections=settings.connections,
            duration_s=settings.duration_s,
            stopped=bool(result.stopped_by),
        ),
        faults=result.marks,
        fault_windows=result.windows,
        cost=_cost(burst, result),
        memory=tuple(
            ProcessMemory(name=each.name, megabytes=round(each.best_bytes / 1e6, 1))
            for each in (() if system is None else system.memory())
        ),
        machine=this_host(),
        processors=result.processors if _sees_processes(burst) else (),
        processor_time=result.processor_time if _sees_processes(burst) else None,
        steps=result.steps,
    )


def _as_run(settings: Settings, result: RunResult) -> Settings:
    """Return the settings with the amounts that followed from the answers, or from a stop of the clients."""
    if result.recorder.planned is not None and settings.duration_s:
        return settings
    planned_s = 0.0 if result.stopped_by else settings.duration_s
    orders, duration_s = result.sent, planned_s or round(result.load_s, 3)
    return settings.model_copy(
        update={"orders": orders, "duration_s": duration_s, "rate": round(orders / max(duration_s, 0.001), 3)}
    )


def _broken_off(burst: PlannedBurst, result: RunResult) -> str | None:
    stopped = ""
    if result.stopped_by:
        planned = result.recorder.planned
        sent = f"{result.sent:,}{'' if planned is None else f' of {planned:,}'} orders had been sent"
        at_s = next((mark.at_s for mark in result.marks if mark.text.endswith(STOPPED)), result.load_s)
        stopped = f"{result.stopped_by} stopped the load after {at_s:.1f} s, when {sent}."
    without = _without_generators(result) if _ended(result) else ""
    ended = _ended_early(burst, result)
    return " ".join(filter(None, (stopped, without, ended))) or None


def _ended(result: RunResult) -> bool:
    """Return whether a generator ended before it was done."""
    return any(each.ended for each in result.generators)


def _without_generators(result: RunResult) -> str:
    ended = [
        f"Generator {number}{f' on {each.machine}' if each.machine else ''} ended before it was done ({each.ended})."
        for number, each in enumerate(result.generators, 1)
        if each.ended
    ]
    unknown = result.judgement.verdict.attempted - result.recorder.answered
    return (
        f"{' '.join(ended)} The latencies are not those of the load that was asked for. Orders that were sent, or may "
        f"have been, without a known answer: {unknown:,}, judged as unavailable."
    )


def _ended_early(burst: PlannedBurst, result: RunResult) -> str | None:
    match result.judgement.end:
        case "backend gone":
            gone_s = next(mark.at_s for mark in reversed(result.marks) if mark.text == BACKEND_GONE)
            return f"The backend ended {gone_s:.0f} s after the start."
        case "given up":
            held = "".join(f", {name} {count}" for name, count in _held(result.timeline[-1]).items())
            where = f" Still in the queues: {held[2:]}." if held else ""
            return f"The drain was given up: nothing changed for {burst.plan.give_up_after_s:g} s.{where}"
        case "quit":
            return "Another Ctrl-C ended the drain, so the table and the dead-letter queues were not read."
        case "drained":
            return None


def _held(last: TimelineRow) -> dict[str, int]:
    visible_and_in_flight = {
        "work": (last.work_visible, last.work_in_flight),
        "express": (last.express_visible, last.express_in_flight),
        "alerts": (last.alerts_visible, last.alerts_in_flight),
        "outcomes for the rig": (last.listener_visible,),
    }
    sums = {name: sum(count or 0 for count in counts) for name, counts in visible_and_in_flight.items()}
    return {name: count for name, count in sums.items() if count}

"""`orderboard burst` from end to end: start a system of its own, conduct the burst, sum it up, write the files."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orderboard.burst.judge.bottleneck import bound
from orderboard.burst.judge.thresholds import Threshold
from orderboard.burst.measure.recorder import LATE_AFTER_MS, percentile
from orderboard.burst.model import Bound, Generator, Moment, ProcessMemory, Settings, Summary
from orderboard.burst.report.cost import notifier_at_most, priced
from orderboard.burst.report.files import BurstRun, write_files
from orderboard.burst.report.live_view import burst_view
from orderboard.burst.runner import Conductor, Plan, Played
from orderboard.calibration.model import Calibration, read_calibration
from orderboard.system.backends import version_of
from orderboard.system.host import this_host
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.system import SystemOptions, start_system
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import progress_screen


@dataclass(frozen=True)
class BurstOptions:
    """What to run, where, and what is expected of it."""

    system: SystemOptions
    plan: Plan
    settings: Settings
    thresholds: Sequence[Threshold]
    out: Path


def run_burst(options: BurstOptions) -> BurstRun:
    """Run it and write summary.json and timeline.csv to `out`. The services' logs stay only if the verdict is bad."""
    try:
        run = _run(options)
    except KeyboardInterrupt:
        shutil.rmtree(options.system.services.logs_dir, ignore_errors=True)
        with suppress(OSError):  # something else is in there
            options.out.rmdir()
        raise
    write_files(run, options.out)
    if run.summary.verdict.valid:
        shutil.rmtree(options.system.services.logs_dir, ignore_errors=True)
    return run


def _run(options: BurstOptions) -> BurstRun:
    with ExitStack() as stack:
        with progress_screen() as screen:
            system = start_system(options.system, screen, stack)
        backend_version = version_of(system.target.endpoint)
        with burst_view() as view:
            played = Conductor(system, options.plan, view).play()
        calibration = read_calibration(find_workspace().state_dir, system.target.endpoint.name, backend_version)
        return BurstRun(_summary(options, played, memory_use(system.processes()), calibration), played.timeline)


def _summary(
    options: BurstOptions, played: Played, memory: Sequence[MemoryUse], calibration: Calibration | None
) -> Summary:
    book = played.book
    summary = Summary(
        started_at=datetime.fromtimestamp(played.started_at, UTC),
        settings=options.settings,
        verdict=played.verdict,
        broken_off=_broken_off(options, played),
        load_s=round(played.load_s, 3),
        drain_s=round(max(0.0, played.ended_s - played.load_s), 3),
        accepted_per_s=_rate(book.accepted, played.load_s),
        finished_per_s=_rate(book.finished, book.last_finish_s),
        peak_backlog=played.peak_backlog,
        accept=book.accept(),
        end_to_end=book.end_to_end(),
        generator=_generator(options, played),
        faults=played.marks,
        cost=priced(
            [*played.counted, *notifier_at_most(played.verdict.alerts_announced)],
            orders=played.verdict.acknowledged + played.verdict.recovered,
        ),
        memory=tuple(ProcessMemory(name=each.name, megabytes=round(each.best_bytes / 1e6, 1)) for each in memory),
        machine=this_host(),
        processors=played.processors,
    )
    expectations = tuple(threshold.check(summary) for threshold in options.thresholds)
    return summary.model_copy(
        update={
            "expectations": expectations,
            "bound": None if summary.broken_off else _bound(summary, played, calibration),
        }
    )


def _broken_off(options: BurstOptions, played: Played) -> str | None:
    match played.end:
        case "backend gone":
            return f"The backend has gone {played.marks[-1].at_s:.0f} s after the start."
        case "given up":
            held = "".join(f", {name} {count}" for name, count in _held(played.timeline[-1]).items())
            where = f" Still on the queues: {held[2:]}." if held else ""
            return f"The drain was given up: nothing had moved for {options.plan.give_up_after_s:g} s.{where}"
        case "drained":
            return None


def _held(last: Moment) -> dict[str, int]:
    visible_and_in_flight = {
        "work": (last.work_visible, last.work_in_flight),
        "express": (last.express_visible, last.express_in_flight),
        "alerts": (last.alerts_visible, last.alerts_in_flight),
        "the rig's own": (last.witness_visible,),
    }
    sums = {name: sum(count or 0 for count in counts) for name, counts in visible_and_in_flight.items()}
    return {name: count for name, count in sums.items() if count}


def _bound(summary: Summary, played: Played, calibration: Calibration | None) -> Bound:
    return bound(
        timeline=played.timeline,
        finished_per_s=summary.finished_per_s,
        accepted_per_s=summary.accepted_per_s,
        attempted=summary.verdict.attempted,
        unavailable=summary.verdict.unavailable,
        peak_backlog=summary.peak_backlog,
        generator=summary.generator,
        processors=summary.processors,
        cpus=summary.machine.cpus,
        calibration=calibration,
    )


def _generator(options: BurstOptions, played: Played) -> Generator:
    book, settings = played.book, options.settings
    lags_ms = book.lags_ms() or [0.0]
    return Generator(
        orders=book.orders,
        sent=played.sent,
        not_sent=book.orders - played.sent,
        late=sum(lag_ms > LATE_AFTER_MS for lag_ms in lags_ms),
        late_after_ms=LATE_AFTER_MS,
        lag_p50_ms=round(percentile(lags_ms, 50), 3),
        lag_p99_ms=round(percentile(lags_ms, 99), 3),
        lag_max_ms=round(lags_ms[-1], 3),
        waited_for_connection=book.waited(),
        connections=settings.connections,
        intended_rate=_rate(book.orders, settings.duration_s),
        achieved_rate=_rate(played.sent, max(settings.duration_s, book.last_sent_s())),
    )


def _rate(count: int, over_s: float) -> float:
    return round(count / over_s, 1) if over_s > 0 else 0.0

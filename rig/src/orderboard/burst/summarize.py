"""Turns the measurements of a burst into its summary."""

from datetime import UTC, datetime

from orderboard.burst.judging import BACKEND_GONE
from orderboard.burst.measure.groups import latency_groups
from orderboard.burst.measure.percentiles import rate
from orderboard.burst.measurement import RunResult
from orderboard.burst.model import Cost, ProcessMemory, Settings, Summary, TimelineRow
from orderboard.burst.plan import PlannedBurst
from orderboard.burst.report.cost import cost, notifier_at_most
from orderboard.burst.stop import STOPPED
from orderboard.burst.targets.estimate import estimate
from orderboard.system.host import this_host
from orderboard.system.system import System


def summarize(burst: PlannedBurst, result: RunResult, system: System | None) -> Summary:
    """Return the summary, without the bottleneck and the thresholds, which are judged by it."""
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
        processors=result.processors if sees_processes(burst) else (),
        processor_time=result.processor_time if sees_processes(burst) else None,
        steps=result.steps,
    )


def sees_processes(burst: PlannedBurst) -> bool:
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
        at_s = next((mark.at_s for mark in result.marks if mark.text.endswith(STOPPED)), None)
        stopped = (
            f"{result.stopped_by} came after the load, when {sent}: what was left of the faults was skipped."
            if at_s is None and not _ended(result)
            else f"{result.stopped_by} stopped the load after {at_s or result.load_s:.1f} s, when {sent}."
        )
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

"""The bottleneck of a burst, by a fixed rule over the measurements. Pure.

In this order: the generator, if it sent late and neither the system nor a full machine was mostly the cause. order-api,
if it turned orders away, answered slowly or let them wait for a connection although no backlog built up; the load
itself, if it did not. A process that kept a core busy: each of these runs Python on one core at a time. The machine, if
all its cores were busy. order-api with a backlog, if the wait for its answer was the longer one. The backend, if it
came near its calibrated ceiling. Otherwise the measurements do not show it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from orderboard.burst.model import Bottleneck, GeneratorStats, Summary, TimelineRow
from orderboard.calibration.model import Calibration
from orderboard.system.process_stats import BACKEND, GENERATOR, MINISTACK

_LATE_SHARE: Final = 0.01
_TURNED_AWAY_SHARE: Final = 0.01
_BACKLOG_S: Final = 1.0  # less than one second's orders is not a backlog
_BUSY_CORES: Final = 0.85
_BUSY_MACHINE: Final = 0.9
_NEAR: Final = 0.7
_SLOW_ANSWER_MS: Final = 1000.0

By = Literal["load", "generator", "API", "worker", "backend", "machine", "unclear"]


@dataclass(frozen=True)
class Pace:
    """The rate of finished orders while workers had a backlog, and its mean size."""

    finished_per_s: float
    backlog: float


def pace(timeline: Iterable[TimelineRow]) -> Pace | None:
    """Return the pace over the seconds with a backlog and a worker; None if nothing was finished in any."""
    worked = [row for row in timeline if _waiting(row) and row.workers]
    if not any(row.finished for row in worked):
        return None
    return Pace(
        finished_per_s=sum(row.finished for row in worked) / len(worked),
        backlog=sum(map(_waiting, worked)) / len(worked),
    )


def bottleneck(summary: Summary, timeline: Sequence[TimelineRow], calibration: Calibration | None) -> Bottleneck:
    """Return what limited the burst, and its share of the backend's calibrated ceiling."""
    found = pace(timeline) or Pace(summary.finished_per_s, 0.0)
    ceiling = None if calibration is None else calibration.orders_per_s("together", found.backlog)
    share = None if not ceiling else found.finished_per_s / ceiling
    doubt = _doubt(share, calibration)
    by, text = next(_limits(summary, near_ceiling=share is not None and doubt is None and share >= _NEAR))
    return Bottleneck(
        by=by,
        text=text,
        worked_off_per_s=round(found.finished_per_s, 1),
        ceiling_per_s=None if ceiling is None else round(ceiling, 1),
        share=None if share is None else round(share, 3),
        doubt=doubt,
    )


def _doubt(share: float | None, calibration: Calibration | None) -> str | None:
    if calibration is None or share is None:
        return "This backend is not calibrated, so its ceiling is unknown; `orderboard calibrate` measures it."
    if share > 1:
        return (
            f"That is above the ceiling calibrated on {calibration.measured_at:%Y-%m-%d at %H:%M} UTC, so the backend "
            "or the machine was slower then; `orderboard calibrate` measures it again."
        )
    return None


def _limits(summary: Summary, *, near_ceiling: bool) -> Iterator[tuple[By, str]]:
    """Yield every limit that the measurements show, the most certain first; never nothing."""
    generator, processors, cpus = summary.generator, summary.processors, summary.machine.cpus
    cores = sum(each.cores for each in processors)
    full = cores >= _BUSY_MACHINE * cpus
    if _sent_late(generator) and not _answers_slower(summary):
        if full:
            yield "machine", f"Orders left late: all processes together kept {cores:.1f} of {cpus} cores busy."
        which = "It" if len(generator.split) == 1 else f"Generator {_latest(generator)}"
        yield "generator", f"{which} could not send on time, so the system never got the full load."
    slow_api = _slow_api(summary)
    if summary.peak_backlog <= max(10.0, _BACKLOG_S * summary.accepted_per_s):
        if slow_api is not None:
            yield "API", f"{slow_api}, and no backlog built up."
        if summary.settings.closed:
            yield "load", "No backlog built up: clients send only as they are answered. More of them may show a limit."
        yield "load", "The system kept up with the load and could have taken more."
    busiest = max(processors, key=lambda each: each.cores, default=None)
    if busiest is not None and busiest.cores >= _BUSY_CORES and (by := _role(busiest.name)) is not None:
        yield by, f"The process {busiest.name} kept {busiest.cores:.0%} of a core busy, and can use no more than one."
    if full:
        yield "machine", f"All processes together kept {cores:.1f} of {cpus} cores busy, but none of them a whole one."
    if slow_api is not None and _waits_for_answer(summary):
        yield "API", f"{slow_api}: the median order waited longer for its answer than for everything after it."
    if near_ceiling:
        yield "backend", "It came near its calibrated ceiling."
    yield "unclear", "No process was busy: they waited for each other, or for stopped workers."


def _waiting(row: TimelineRow) -> int:
    return (row.work_visible or 0) + (row.express_visible or 0)


def _sent_late(generator: GeneratorStats) -> bool:
    """Return True if one of the generators fell behind, be the others on time."""
    return any(
        each.late - each.waited_for_connection > max(_LATE_SHARE * each.orders, each.waited_for_connection)
        for each in generator.split
    )


def _latest(generator: GeneratorStats) -> int:
    return max(generator.each, key=lambda each: each.late - each.waited_for_connection).number


def _answers_slower(summary: Summary) -> bool:
    """Return True if orders waited longer for their answers than they left late, in the slowest hundredth."""
    lag_ms = max(each.lag_p99_ms for each in summary.generator.split)
    return summary.accept is not None and summary.accept.p99_ms - lag_ms > lag_ms


def _waits_for_answer(summary: Summary) -> bool:
    """Return True if the median order waited longer for its answer than from then on."""
    accept, end_to_end = summary.accept, summary.end_to_end
    return accept is not None and end_to_end is not None and accept.p50_ms > end_to_end.p50_ms - accept.p50_ms


def _slow_api(summary: Summary) -> str | None:
    """Return the sign that order-api did not keep up, as half a sentence; None without one.

    Orders that were turned away are not a sign where faults of order-api or of the backend were injected.
    """
    unavailable, attempted, generator = summary.verdict.unavailable, summary.verdict.attempted, summary.generator
    injected = any(mark.fault is not None and not mark.fault.endswith("-worker") for mark in summary.faults)
    if unavailable > _TURNED_AWAY_SHARE * attempted and not injected:
        return f"{unavailable:,} of {attempted:,} orders got 5xx, 429 or no answer"
    waited = generator.waited_for_connection
    if waited > _LATE_SHARE * generator.orders:
        return f"{waited:,} of {generator.orders:,} orders left late, all {generator.connections:,} connections busy"
    if summary.accept is not None and summary.accept.p99_ms > _SLOW_ANSWER_MS and not injected:
        return f"One order in a hundred waited {summary.accept.p99_ms / 1000:.1f} s or more for its answer"
    return None


def _role(name: str) -> By | None:
    roles: dict[str, By] = {BACKEND: "backend", MINISTACK: "backend", "order-api": "API"}
    numbered: dict[str, By] = {"worker": "worker", GENERATOR: "generator"}  # worker-2, generator 2
    return roles.get(name) or next((by for start, by in numbered.items() if name.startswith(start)), None)

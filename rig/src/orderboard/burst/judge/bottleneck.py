"""What limited a burst: a rule over what was measured. Pure, and the same for everybody who reads the figures.

In this order. The generator, if it sent late and the system was not what mostly held it up. order-api, if it turned
orders away, or let them wait for a connection, though no backlog built up; nothing but the load itself, if it did not.
Whoever kept a core busy: each of these
processes runs Python on one core at a time, so a busy core is all it has. The machine, if all cores together were busy.
The backend, if it did nearly what it can do by calibration. Otherwise the figures do not tell, and that is said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from orderboard.burst.model import Bound, Generator, Moment
from orderboard.calibration.model import Calibration
from orderboard.system.process_stats import BACKEND, MINISTACK, ProcessorShare

_LATE_SHARE: Final = 0.01
_TURNED_AWAY_SHARE: Final = 0.01
_BACKLOG_S: Final = 1.0  # less than one second's orders is no backlog, but what is just being done
_BUSY_CORES: Final = 0.85
_BUSY_MACHINE: Final = 0.9
_NEAR: Final = 0.7

By = Literal["load", "generator", "API", "worker", "backend", "machine", "unclear"]


@dataclass(frozen=True)
class Pace:
    """How fast orders ended while workers had a backlog to work on, and how long it was."""

    finished_per_s: float
    backlog: float


def pace(timeline: Iterable[Moment]) -> Pace | None:
    """Over the seconds that began with a backlog and had a worker; None when there was no such second."""
    worked = [moment for moment in timeline if _waiting(moment) and moment.workers]
    if not worked:
        return None
    return Pace(
        finished_per_s=sum(moment.finished for moment in worked) / len(worked),
        backlog=sum(map(_waiting, worked)) / len(worked),
    )


def _waiting(moment: Moment) -> int:
    return (moment.work_visible or 0) + (moment.express_visible or 0)


def bound(
    *,
    timeline: Sequence[Moment],
    finished_per_s: float,
    accepted_per_s: float,
    attempted: int,
    unavailable: int,
    peak_backlog: int,
    generator: Generator,
    processors: Sequence[ProcessorShare],
    cpus: int,
    calibration: Calibration | None,
) -> Bound:
    """What limited it, and its share of what the backend can do by this calibration, if that can be believed."""
    found = pace(timeline) or Pace(finished_per_s, 0.0)
    ceiling = None if calibration is None else calibration.orders_per_s("together", found.backlog)
    share = None if not ceiling else found.finished_per_s / ceiling
    doubt = _doubt(share, calibration)
    kept_up = peak_backlog <= max(10.0, _BACKLOG_S * accepted_per_s)
    near = share is not None and doubt is None and share >= _NEAR
    slow = _slow_api(generator, attempted, unavailable) if kept_up and not _sent_late(generator) else None
    if slow is not None:
        by: By = "API"
        text = f"The API: {slow}, and no backlog built up."
    else:
        by, text = _judged(generator, processors, cpus=cpus, near_ceiling=near, kept_up=kept_up)
    return Bound(
        by=by,
        text=text,
        finished_per_s=round(found.finished_per_s, 1),
        ceiling_per_s=None if ceiling is None else round(ceiling, 1),
        share=None if share is None else round(share, 3),
        doubt=doubt,
    )


def _doubt(share: float | None, calibration: Calibration | None) -> str | None:
    if calibration is None or share is None:
        return "How near that is to what this backend can do is not known; orderboard calibrate measures it."
    if share > 1:
        return (
            f"That is more than the backend did on {calibration.measured_at:%Y-%m-%d at %H:%M} UTC, when it was "
            "calibrated, so it or the machine was slower then; orderboard calibrate measures it again."
        )
    return None


def _judged(
    generator: Generator, processors: Sequence[ProcessorShare], *, cpus: int, near_ceiling: bool, kept_up: bool
) -> tuple[By, str]:
    if _sent_late(generator):
        return "generator", "The generator: it could not send on time, so more load than this was never made."
    if kept_up:
        return "load", "Nothing but the load: the system kept up, and could have taken more."
    busiest = max(processors, key=lambda each: each.cores, default=None)
    if busiest is not None and busiest.cores >= _BUSY_CORES and (by := _role(busiest.name)) is not None:
        return by, f"The {by}: {busiest.name} kept {busiest.cores:.0%} of a core busy, and can use no more than one."
    cores = sum(each.cores for each in processors)
    if cores >= _BUSY_MACHINE * cpus:
        return (
            "machine",
            f"The machine: together the processes kept {cores:.1f} of {cpus} cores busy, none of them one.",
        )
    if near_ceiling:
        return "backend", "The backend: it did nearly what it can do by calibration."
    return "unclear", "Not clear: no process was busy. They waited for each other, or for workers that were away."


def _sent_late(generator: Generator) -> bool:
    waited = generator.waited_for_connection
    return generator.late - waited > max(_LATE_SHARE * generator.orders, waited)


def _slow_api(generator: Generator, attempted: int, unavailable: int) -> str | None:
    """What shows that it did not keep up, as half a sentence; None if nothing does."""
    if unavailable > _TURNED_AWAY_SHARE * attempted:
        return f"{unavailable:,} of {attempted:,} orders got 5xx, 429 or no answer"
    waited = generator.waited_for_connection
    if waited > _LATE_SHARE * generator.orders:
        return f"{waited:,} of {generator.orders:,} orders left late, all {generator.connections:,} connections busy"
    return None


def _role(name: str) -> By | None:
    if name in (BACKEND, MINISTACK):
        return "backend"
    if name == "order-api":
        return "API"
    if name == "generator":
        return "generator"
    return "worker" if name.startswith("worker") else None

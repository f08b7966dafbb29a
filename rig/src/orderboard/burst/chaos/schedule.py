"""The schedule of faults, as it is given on the command line: `10s@5s`, `@7s`, `2@12s`. `workers` carries it out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["stop", "start", "freeze", "thaw", "kill", "scale"]

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_MAX_WORKERS: Final = 32
_TEXTS: Final[dict[Action, str]] = {
    "stop": "workers stopped (SIGTERM)",
    "start": "workers started again",
    "freeze": "workers frozen (SIGSTOP)",
    "thaw": "workers thawed (SIGCONT)",
    "kill": "a worker killed (SIGKILL), another started",
    "scale": "scaled to {workers} workers",
}


@dataclass(frozen=True)
class Fault:
    """An action on the workers.

    stop: every worker drains and ends; start undoes it. freeze: every worker stands still with orders in flight; thaw
    undoes it. kill: one worker dies with orders in flight, once `after_finished` orders have finished, and another is
    started. scale: a new number of workers.
    """

    at_s: float
    action: Action
    workers: int = 0
    after_finished: int = 0

    def __str__(self) -> str:
        return _TEXTS[self.action].format(workers=self.workers)


def parse_stop(text: str) -> tuple[Fault, Fault]:
    """Parse `10s@5s`: stopped for 10 s, 5 s after the start."""
    return _for_and_at(text, "stop", "start")


def parse_freeze(text: str) -> tuple[Fault, Fault]:
    """Parse `10s@5s`: frozen for 10 s, 5 s after the start."""
    return _for_and_at(text, "freeze", "thaw")


def parse_kill(text: str) -> Fault:
    """Parse `@7s`."""
    before, at, when = text.partition("@")
    if before or not at:
        raise ValueError("expected @TIME, such as @7s")
    return Fault(parse_duration(when), "kill")


def parse_workers(text: str) -> int | Fault:
    """Parse `2` (from the start) or `2@12s` (from then on)."""
    count, at, when = text.partition("@")
    if not re.fullmatch("[0-9]{1,9}", count) or not 1 <= int(count) <= _MAX_WORKERS:
        raise ValueError(f"expected 1 to {_MAX_WORKERS}, or that with a time, such as 2@12s")
    return Fault(parse_duration(when), "scale", int(count)) if at else int(count)


def parse_duration(text: str) -> float:
    """Parse `10s`, `500ms` or `2m`, in seconds; raise ValueError for anything else."""
    if (match := _DURATION.fullmatch(text.strip())) is None:
        raise ValueError("expected a duration with a unit, such as 10s, 500ms or 2m")
    if len(match[1]) > 12:
        raise ValueError("expected a duration of at most twelve digits")
    return float(match[1]) * _UNIT_S[match[2]]


def overlap(faults: Sequence[Fault]) -> str | None:
    """Describe the first fault that comes while the workers are stopped or frozen; None without one."""
    away: Fault | None = None
    for fault in sorted(faults, key=lambda each: each.at_s):
        if fault.action in ("start", "thaw"):
            away = None
        elif away is not None:
            return f"{fault} at {fault.at_s:g} s, but {away} at {away.at_s:g} s and not back by then"
        elif fault.action in ("stop", "freeze"):
            away = fault
    return None


def too_late(faults: Sequence[Fault], load_s: float) -> str | None:
    """Describe the first fault that comes after the end of the load; None without one."""
    late = (fault for fault in faults if fault.action not in ("start", "thaw") and fault.at_s >= load_s)
    return next((f"{fault} at {fault.at_s:g} s, after the end of the load at {load_s:g} s" for fault in late), None)


def _for_and_at(text: str, action: Action, undo: Action) -> tuple[Fault, Fault]:
    lasts, at, when = text.partition("@")
    if not (lasts and at and when):
        raise ValueError("expected FOR@TIME, such as 10s@5s")
    lasts_s, at_s = parse_duration(lasts), parse_duration(when)
    if lasts_s <= 0:
        raise ValueError("FOR must be positive")
    return Fault(at_s, action), Fault(at_s + lasts_s, undo)

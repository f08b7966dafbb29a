"""The schedule of faults, as it is given on the command line: `10s@5s`, `@7s`, `2@12s`. `workers` carries it out."""

import re
from dataclasses import dataclass
from typing import Final

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_MAX_WORKERS: Final = 32


@dataclass(frozen=True)
class StopWorkers:
    """SIGTERM to every worker: they drain and end."""

    at_s: float

    def __str__(self) -> str:
        return "workers stopped (SIGTERM)"


@dataclass(frozen=True)
class StartWorkers:
    """As many workers as were stopped start again."""

    at_s: float

    def __str__(self) -> str:
        return "workers started again"


@dataclass(frozen=True)
class FreezeWorkers:
    """SIGSTOP to every worker: they keep the orders they have in flight and do nothing."""

    at_s: float

    def __str__(self) -> str:
        return "workers frozen (SIGSTOP)"


@dataclass(frozen=True)
class ThawWorkers:
    """SIGCONT to frozen workers, when others may long have received what they have in flight."""

    at_s: float

    def __str__(self) -> str:
        return "workers thawed (SIGCONT)"


@dataclass(frozen=True)
class KillWorker:
    """SIGKILL to one worker with orders in flight, once so many have finished; another is started at once."""

    at_s: float
    after_finished: int = 0

    def __str__(self) -> str:
        return "a worker killed (SIGKILL), another started"


@dataclass(frozen=True)
class ScaleWorkers:
    """A new number of workers: more are started, or the last ones get SIGTERM."""

    at_s: float
    workers: int

    def __str__(self) -> str:
        return f"scaled to {self.workers} workers"


Fault = StopWorkers | FreezeWorkers | ThawWorkers | StartWorkers | KillWorker | ScaleWorkers


def parse_stop(text: str) -> tuple[Fault, Fault]:
    """Parse `10s@5s`: stopped for 10 s, 5 s after the start."""
    lasts_s, at_s = _for_and_at(text)
    return StopWorkers(at_s), StartWorkers(at_s + lasts_s)


def parse_freeze(text: str) -> tuple[Fault, Fault]:
    """Parse `10s@5s`: frozen for 10 s, 5 s after the start."""
    lasts_s, at_s = _for_and_at(text)
    return FreezeWorkers(at_s), ThawWorkers(at_s + lasts_s)


def parse_kill(text: str) -> KillWorker:
    """Parse `@7s`."""
    before, at, when = text.partition("@")
    if before or not at:
        raise ValueError("expected @TIME, such as @7s")
    return KillWorker(parse_duration(when))


def parse_workers(text: str) -> int | ScaleWorkers:
    """Parse `2` (from the start) or `2@12s` (from then on)."""
    count, at, when = text.partition("@")
    if not count.isdecimal() or not 1 <= int(count) <= _MAX_WORKERS:
        raise ValueError(f"expected 1 to {_MAX_WORKERS}, or that with a time, such as 2@12s")
    return ScaleWorkers(parse_duration(when), int(count)) if at else int(count)


def parse_duration(text: str) -> float:
    """Parse `10s`, `500ms` or `2m`, in seconds; raise ValueError for anything else."""
    if (match := _DURATION.fullmatch(text.strip())) is None:
        raise ValueError(f"{text!r} is not a duration with a unit, such as 10s, 500ms or 2m")
    return float(match[1]) * _UNIT_S[match[2]]


def overlap(faults: list[Fault]) -> str | None:
    """Describe the first fault that comes while the workers are stopped or frozen; None without one."""
    away: Fault | None = None
    for fault in sorted(faults, key=lambda each: each.at_s):
        match fault:
            case StartWorkers() | ThawWorkers():
                away = None
            case _ if away is not None:
                return f"{fault} at {fault.at_s:g} s, but {away} at {away.at_s:g} s and not back by then"
            case StopWorkers() | FreezeWorkers():
                away = fault
    return None


def _for_and_at(text: str) -> tuple[float, float]:
    lasts, at, when = text.partition("@")
    if not (lasts and at and when):
        raise ValueError("expected FOR@TIME, such as 10s@5s")
    lasts_s, at_s = parse_duration(lasts), parse_duration(when)
    if lasts_s <= 0:
        raise ValueError("FOR must be positive")
    return lasts_s, at_s

"""What is done to the workers during a burst, and when: `10s@5s`, `@7s`, `2@12s`. Parsing; workers.py does it."""

import re
from dataclasses import dataclass
from typing import Final

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)?")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


@dataclass(frozen=True)
class StopWorkers:
    """Every worker gets SIGTERM, drains and ends; as many start again."""

    at_s: float

    def __str__(self) -> str:
        return "workers stopped (SIGTERM)"


@dataclass(frozen=True)
class FreezeWorkers:
    """Every worker gets SIGSTOP: it holds what it has in hand and does not answer."""

    at_s: float

    def __str__(self) -> str:
        return "workers frozen (SIGSTOP)"


@dataclass(frozen=True)
class ThawWorkers:
    """Frozen workers go on (SIGCONT), long after others may have taken what they hold."""

    at_s: float

    def __str__(self) -> str:
        return "workers thawed (SIGCONT)"


@dataclass(frozen=True)
class StartWorkers:
    """As many workers as were stopped start again."""

    at_s: float

    def __str__(self) -> str:
        return "workers started again"


@dataclass(frozen=True)
class KillWorker:
    """One worker gets SIGKILL with orders in hand; another is started at once."""

    at_s: float

    def __str__(self) -> str:
        return "a worker killed (SIGKILL), another started"


@dataclass(frozen=True)
class ScaleWorkers:
    """From now on so many workers: more are started, or the last ones get SIGTERM."""

    at_s: float
    workers: int

    def __str__(self) -> str:
        return f"{self.workers} workers wanted"


Fault = StopWorkers | FreezeWorkers | ThawWorkers | StartWorkers | KillWorker | ScaleWorkers


def parse_stop(text: str) -> tuple[Fault, Fault]:
    """Read `10s@5s`: stopped for 10 s, 5 s after the start."""
    lasts_s, at_s = _for_and_at(text, "--stop-worker")
    return StopWorkers(at_s), StartWorkers(at_s + lasts_s)


def parse_freeze(text: str) -> tuple[Fault, Fault]:
    """Read `10s@5s`: frozen for 10 s, 5 s after the start."""
    lasts_s, at_s = _for_and_at(text, "--freeze-worker")
    return FreezeWorkers(at_s), ThawWorkers(at_s + lasts_s)


def parse_kill(text: str) -> KillWorker:
    """Read `@7s`."""
    before, at, when = text.partition("@")
    if before or not at:
        raise ValueError(f"--kill-worker needs a time such as @7s, not {text!r}")
    return KillWorker(parse_duration(when))


def parse_workers(text: str) -> int | ScaleWorkers:
    """Read `2` (from the start) or `2@12s` (from then on)."""
    count, at, when = text.partition("@")
    if not count.isdecimal() or not 1 <= int(count) <= 32:
        raise ValueError(f"--workers needs 1 to 32, or such a number with a time as 2@12s, not {text!r}")
    return ScaleWorkers(parse_duration(when), int(count)) if at else int(count)


def parse_duration(text: str) -> float:
    """Read `10s`, `500ms`, `2m` or plain seconds; raise ValueError for anything else."""
    if (match := _DURATION.fullmatch(text.strip())) is None:
        raise ValueError(f"{text!r} is no duration; write it as 10s, 500ms or 2m")
    return float(match[1]) * _UNIT_S[match[2]]


def overlapping(faults: list[Fault]) -> str | None:
    """What is wrong with the schedule as a whole; None when nothing is. Workers that are away cannot be hurt."""
    away: Fault | None = None
    for fault in sorted(faults, key=lambda each: each.at_s):
        match fault:
            case StopWorkers() | FreezeWorkers() | KillWorker() | ScaleWorkers() if away is not None:
                return f"{fault} at {fault.at_s:g} s, but the {away} at {away.at_s:g} s are not back by then"
            case StopWorkers() | FreezeWorkers():
                away = fault
            case StartWorkers() | ThawWorkers():
                away = None
            case _:
                pass
    return None


def _for_and_at(text: str, option: str) -> tuple[float, float]:
    lasts, at, when = text.partition("@")
    if not at:
        raise ValueError(f"{option} needs how long and when, such as 10s@5s, not {text!r}")
    lasts_s, at_s = parse_duration(lasts), parse_duration(when)
    if lasts_s <= 0:
        raise ValueError(f"{option} {text}: how long must be more than nothing")
    return lasts_s, at_s

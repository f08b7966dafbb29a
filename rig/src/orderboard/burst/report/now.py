"""The state of a running burst at a moment, and its rates: what every view shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from orderboard.burst.faults.schedule import Fault
from orderboard.burst.measure.percentiles import percentile
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.model import FaultMark

_RATES_OVER_S: Final = 5


@dataclass(frozen=True)
class Now:
    """The state of a burst at a moment."""

    at_s: float
    loading: bool
    sent: int
    recorder: Recorder
    timeline: Timeline
    sample: Sample
    workers: int
    marks: tuple[FaultMark, ...]
    next_fault: Fault | None
    alerts: int
    waits_for: str = ""  # in the drain
    stopping: bool = False  # stopped before its end
    answers_only: bool = False  # so the queues, the workers and what finished are not known


@dataclass(frozen=True)
class Rates:
    """Orders a second and latencies (p50, p99) over the last five seconds; None without any."""

    sent: float
    accepted: float
    finished: float
    accept_ms: tuple[float | None, float | None]
    end_to_end_ms: tuple[float | None, float | None]


def rates_of(now: Now) -> Rates:
    """Return the rates at a moment."""
    seconds = list(now.recorder.recent(now.at_s, _RATES_OVER_S))
    over_s = max(1, min(_RATES_OVER_S, int(now.at_s)))
    return Rates(
        sent=now.recorder.sent_per_s(now.at_s, _RATES_OVER_S),
        accepted=sum(second.accepted for second in seconds) / over_s,
        finished=sum(second.finished for second in seconds) / over_s,
        accept_ms=_p50_p99(value for second in seconds for value in second.accept_ms),
        end_to_end_ms=_p50_p99(value for second in seconds for value in second.end_to_end_ms),
    )


def _p50_p99(values_ms: Iterable[float]) -> tuple[float | None, float | None]:
    ordered = sorted(values_ms)
    return (percentile(ordered, 50), percentile(ordered, 99)) if ordered else (None, None)


def in_ms(value: float | None) -> str:
    """Return milliseconds for a reader; empty without a value."""
    if value is None:
        return ""
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def waiting(now: Now) -> str:
    """Return what the drain waits for."""
    hint = ". Ctrl-C again quits at once, and keeps what it has" if now.stopping else ""
    return f"waits for {now.waits_for}{hint}"

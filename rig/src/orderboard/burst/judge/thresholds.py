"""`--expect 'accept_p99_ms<50'`: which numbers can be named, and whether they are as expected. Pure."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from orderboard.burst.model import Expectation, Latency, Summary

_TEXT: Final = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# Nothing was accepted, or finished: no latency is good enough.
_NEVER_MS: Final = float("inf")


def _latency(of: Callable[[Summary], Latency | None], name: str) -> "Callable[[Summary], float]":
    def read(summary: Summary) -> float:
        found = of(summary)
        return _NEVER_MS if found is None else float(getattr(found, name))

    return read


def _latencies() -> dict[str, Callable[[Summary], float]]:
    return {
        f"{prefix}_{name}": _latency(of, name)
        for prefix, of in (("accept", lambda s: s.accept), ("end_to_end", lambda s: s.end_to_end))
        for name in ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms")
    }


METRICS: Final[Mapping[str, Callable[[Summary], float]]] = {
    **_latencies(),
    "accepted_per_s": lambda s: s.accepted_per_s,
    "finished_per_s": lambda s: s.finished_per_s,
    "load_s": lambda s: s.load_s,
    "drain_s": lambda s: s.drain_s,
    "peak_backlog": lambda s: s.peak_backlog,
    "attempted": lambda s: s.verdict.attempted,
    "acknowledged": lambda s: s.verdict.acknowledged,
    "refused": lambda s: s.verdict.refused,
    "unavailable": lambda s: s.verdict.unavailable,
    "completed": lambda s: s.verdict.completed,
    "rejected": lambda s: s.verdict.rejected,
    "cancelled": lambda s: s.verdict.cancelled,
    "dead_lettered": lambda s: s.verdict.dead_lettered,
    "lost": lambda s: s.verdict.lost,
    "duplicated": lambda s: s.verdict.duplicated,
    "recovered": lambda s: s.verdict.recovered,
    "unexpected": lambda s: s.verdict.unexpected,
    "unsettled": lambda s: s.verdict.unsettled,
    "generator_late": lambda s: s.generator.late,
    "generator_not_sent": lambda s: s.generator.not_sent,
    "generator_lag_p99_ms": lambda s: s.generator.lag_p99_ms,
    "requests_per_1000_orders": lambda s: s.cost.requests_per_1000_orders,
    "usd_per_1000_orders": lambda s: s.cost.usd_per_1000_orders,
    "memory_mb": lambda s: sum(each.megabytes for each in s.memory),
}


@dataclass(frozen=True)
class Threshold:
    """A number that a burst must reach, or must not."""

    metric: str
    comparison: str
    value: float

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.value:g}"

    def check(self, summary: Summary) -> Expectation:
        """Whether this burst meets it."""
        measured = float(METRICS[self.metric](summary))
        return Expectation(text=str(self), measured=measured, met=_OPERATORS[self.comparison](measured, self.value))


def parse_threshold(text: str) -> Threshold:
    """Read `accept_p99_ms<50`; raise ValueError with what can be said."""
    if (match := _TEXT.fullmatch(text)) is None:
        raise ValueError(
            f"--expect needs a metric, a comparison and a number, such as 'accept_p99_ms<50', not {text!r}"
        )
    metric, comparison, number = match.groups()
    if metric not in METRICS:
        raise ValueError(f"--expect: there is no metric {metric!r}; choose from {', '.join(METRICS)}")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ValueError(f"--expect {text}: {number!r} is no number")
    return Threshold(metric, comparison, value)

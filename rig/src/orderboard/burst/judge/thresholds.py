"""Thresholds: `--expect 'accept_p99_ms<50'`. Pure."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from orderboard.burst.model import Expectation, Summary
from orderboard.option_values import parse_number

_TEXT: Final = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_LATENCIES: Final = ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms")
# A metric's name -> where it stands in the summary.
_PATHS: Final[Mapping[str, str]] = {
    **{f"{of}_{name}": f"{of}.{name}" for of in ("accept", "end_to_end") for name in _LATENCIES},
    **{name: name for name in ("accepted_per_s", "finished_per_s", "load_s", "drain_s", "peak_backlog")},
    **{
        name: f"verdict.{name}"
        for name in (
            *("attempted", "acknowledged", "refused", "unavailable", "unreached"),
            *("completed", "rejected", "cancelled", "dead_lettered", "dead_lettered_duplicates"),
            *("lost", "duplicated", "recovered", "unexpected", "unsettled"),
        )
    },
    **{f"generator_{name}": f"generator.{name}" for name in ("late", "not_sent", "lag_p99_ms")},
    **{name: f"cost.{name}" for name in ("requests_per_1000_orders", "usd_per_1000_orders")},
}
METRICS: Final = (*_PATHS, "memory_mb")


def metric(summary: Summary, name: str) -> float:
    """Return a metric of a summary. Where nothing was accepted or finished, its latency is infinite."""
    if name == "memory_mb":
        return sum(each.megabytes for each in summary.memory)
    try:
        return float(operator.attrgetter(_PATHS[name])(summary))
    except AttributeError:
        return math.inf


@dataclass(frozen=True)
class Threshold:
    """A limit on a metric."""

    metric: str
    comparison: str
    value: float

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.value:g}"

    def check(self, summary: Summary) -> Expectation:
        """Compare it with a burst's summary."""
        measured = metric(summary, self.metric)
        return Expectation(text=str(self), measured=measured, met=_OPERATORS[self.comparison](measured, self.value))


def parse_threshold(text: str) -> Threshold:
    """Parse `accept_p99_ms<50`; raise ValueError with the reason."""
    if (match := _TEXT.fullmatch(text)) is None:
        raise ValueError("expected a metric, a comparison and a number, such as 'accept_p99_ms<50'")
    name, comparison, number = match.groups()
    if name not in METRICS:
        raise ValueError(f"unknown metric {name!r}; expected one of {', '.join(METRICS)}")
    try:
        return Threshold(name, comparison, parse_number(number))
    except ValueError:
        raise ValueError(f"expected a number after {comparison}") from None

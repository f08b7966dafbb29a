"""The numbers of a burst that thresholds and comparisons name. Pure."""

import math
import operator
from collections.abc import Mapping
from typing import Final

from orderboard.burst.model import OF_LEDGER, Summary

_LATENCIES: Final = ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms")
COUNTS: Final = (
    *("attempted", "acknowledged", "refused", "refused_unmeant", "unavailable", "unreached"),
    *("completed", "rejected", "cancelled", "dead_lettered", "dead_lettered_duplicates"),
    *("lost", "duplicated", "recovered", "unexpected", "unsettled"),
)
# A metric's name -> where it stands in the summary.
_PATHS: Final[Mapping[str, str]] = {
    **{f"{of}_{name}": f"{of}.{name}" for of in ("accept", "end_to_end") for name in _LATENCIES},
    **{name: name for name in ("accepted_per_s", "finished_per_s", "load_s", "drain_s", "settled_s", "peak_backlog")},
    **{name: f"verdict.{name}" for name in COUNTS},
    **{f"generator_{name}": f"generator.{name}" for name in ("late", "not_sent", "lag_p99_ms")},
    **{name: f"cost.{name}" for name in ("requests_per_1000_orders", "usd_per_1000_orders")},
}
_OF_DRAIN: Final = ("finished_per_s", "drain_s", "settled_s", "peak_backlog")
METRICS: Final = (*_PATHS, "memory_mb")


def metric(summary: Summary, name: str) -> float:
    """Return a metric of a summary. Where nothing was accepted or finished, its latency is infinite."""
    if name == "memory_mb":
        return sum(each.megabytes for each in summary.memory)
    if summary.verdict.basis == "answers" and (name in OF_LEDGER or name in _OF_DRAIN):
        return math.inf
    try:
        found = operator.attrgetter(_PATHS[name])(summary)
    except AttributeError:
        return math.inf
    return math.inf if found is None else float(found)

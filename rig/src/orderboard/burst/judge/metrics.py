"""The numbers of a burst that thresholds and comparisons name. Pure."""

import math
import operator
import re
from collections.abc import Mapping
from typing import Final

from orderboard.burst.model import OF_LEDGER, GroupLatency, StepLatency, Summary

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
# The steps of an order's way, on a backend with a journal (sns_to_queue, waiting, working) and on others (queue).
STEPS: Final = ("accept", "sns_to_queue", "queue", "waiting", "working", "outcome", "alert")
_OF_STEPS: Final = ("mean", "p50", "p90", "p99", "max")
_STEP: Final = re.compile(rf"step_({'|'.join(STEPS)})_({'|'.join(_OF_STEPS)})(?:_ms)?")
# A latency of one kind of order, or of one stream of several.
_OF_GROUP: Final = re.compile(r"(accept|end_to_end)_(mean|p50|p90|p99|max)_ms\{(kind|stream)=([^{}]+)\}")


def is_of_group(name: str) -> bool:
    """Return whether it is a metric of a group, such as accept_p99_ms{kind=express}."""
    return _OF_GROUP.fullmatch(name) is not None


def is_of_step(name: str) -> bool:
    """Return whether it is a metric of a step, such as step_waiting_p99; raise ValueError if it is only like one."""
    if _STEP.fullmatch(name):
        return True
    if name.startswith("step_"):
        raise ValueError(
            f"unknown metric {name!r}: expected step_STEP_FIGURE, with a step of {', '.join(STEPS)} and a figure of "
            f"{', '.join(_OF_STEPS)}"
        )
    return False


def step_of(summary: Summary, name: str) -> StepLatency | None:
    """Return the step that a metric is of; None if the burst has no such step."""
    match, steps = _STEP.fullmatch(name), summary.steps
    if match is None or steps is None:
        return None
    if match[1] == "alert":
        return steps.alert
    return next((each for each in steps.steps if each.name == match[1]), None)


def metric(summary: Summary, name: str) -> float:
    """Return a metric of a summary. Where nothing was accepted or finished, its latency is infinite."""
    if (of_step := _STEP.fullmatch(name)) is not None:
        step = step_of(summary, name)
        return math.inf if step is None else float(getattr(step, f"{of_step[2]}_ms"))
    if (of_group := _OF_GROUP.fullmatch(name)) is not None:
        found = getattr(_group(summary, of_group), of_group[1], None)
        return math.inf if found is None else float(getattr(found, f"{of_group[2]}_ms"))
    if name == "memory_mb":
        return sum(each.megabytes for each in summary.memory)
    if not _is_proven(summary, name):
        return math.inf
    try:
        found = operator.attrgetter(_PATHS[name])(summary)
    except AttributeError:
        return math.inf
    return math.inf if found is None else float(found)


def is_known(summary: Summary, name: str) -> bool:
    """Return whether the burst has the metric. It has a latency also if no order was accepted or finished."""
    if (of_group := _OF_GROUP.fullmatch(name)) is not None:
        return _is_proven(summary, name) and _group(summary, of_group) is not None
    if name.startswith(("accept_p", "accept_m", "end_to_end_")):
        return _is_proven(summary, name)
    return math.isfinite(metric(summary, name))


def _group(summary: Summary, name: re.Match[str]) -> GroupLatency | None:
    return next((each for each in summary.groups if (each.by, each.name) == (name[3], name[4])), None)


def _is_proven(summary: Summary, name: str) -> bool:
    of_ledger = name in OF_LEDGER or name in _OF_DRAIN or name.startswith("end_to_end_")
    return summary.verdict.basis == "ledger" or not of_ledger

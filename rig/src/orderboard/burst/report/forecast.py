"""A forecast of how long a burst takes, from the backend's calibration. Pure."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from orderboard.burst.measurement import Plan
from orderboard.calibration.model import Calibration

_STEP_S: Final = 0.5
_TOO_LONG_S: Final = 600.0
_HORIZON_S: Final = 24 * 3600.0
# Rates without a calibration are known only for MiniStack, whose receive scans every waiting message.
_MINISTACK_PER_S: Final = 250.0
_MINISTACK_FREE_BACKLOG: Final = 1_000

Pace = Callable[[float], float]  # a backlog -> orders a second


def warning(plan: Plan, *, backend: str, calibration: Calibration | None) -> str | None:
    """Return a warning for a burst that takes long; None otherwise, or when the backend's rate is unknown."""
    if calibration is not None:
        pace, source = calibrated(calibration), f"as calibrated on {calibration.measured_at:%Y-%m-%d}"
    elif backend == "ministack":
        pace, source = _ministack, "roughly; `orderboard calibrate --backend ministack` measures it"
    else:
        return None
    if (times_s := plan.times_s) is None:
        return None  # clients wait, so they build no long backlog
    takes_s = forecast_s(times_s, _outages(plan), pace)
    if takes_s - times_s[-1] < _TOO_LONG_S:
        return None
    about = "more than a day" if takes_s >= _HORIZON_S else f"{takes_s / 60:.0f} minutes or more"
    slower = ", and fewer as its queues grow" if pace(100_000) < pace(1_000) / 2 else ""
    return (
        f"this may take {about}. The {backend} backend handles at most {pace(1_000):.0f} orders a second{slower} "
        f"({source}). Spread the orders over more time, or send fewer."
    )


def forecast_s(times_s: Sequence[float], outages: Sequence[tuple[float, float]], pace: Pace) -> float:
    """Estimate when the last order ends, at most a day. outages: when no worker runs."""
    now_s, backlog, number = 0.0, 0.0, 0
    while number < len(times_s) or backlog > 0:
        if now_s >= _HORIZON_S:
            return _HORIZON_S
        now_s += _STEP_S
        while number < len(times_s) and times_s[number] <= now_s:
            number, backlog = number + 1, backlog + 1
        if not any(start_s <= now_s < end_s for start_s, end_s in outages):
            backlog = max(0.0, backlog - pace(backlog) * _STEP_S)
    return now_s


def calibrated(calibration: Calibration) -> Pace:
    """Return the calibrated pace. Beyond the longest backlog measured, the slowdown is extrapolated."""
    longest = max(each.backlog for each in calibration.ceilings)
    shorter = longest / 10
    at_longest = calibration.orders_per_s("together", longest) or math.inf
    at_shorter = calibration.orders_per_s("together", shorter) or math.inf
    slope = min(0.0, math.log10(at_longest / at_shorter)) if math.isfinite(at_longest) else 0.0

    def pace(backlog: float) -> float:
        if backlog > longest:
            return at_longest * math.exp(slope * math.log(backlog / longest))
        return calibration.orders_per_s("together", backlog) or math.inf

    return pace


def _ministack(backlog: float) -> float:
    return _MINISTACK_PER_S * min(1.0, _MINISTACK_FREE_BACKLOG / max(backlog, 1.0))


def _outages(plan: Plan) -> list[tuple[float, float]]:
    starts = sorted(fault.at_s for fault in plan.faults if fault.action in ("stop-worker", "freeze-worker"))
    ends = sorted(fault.at_s for fault in plan.faults if fault.action in ("start-worker", "thaw-worker"))
    return list(zip(starts, ends, strict=True))

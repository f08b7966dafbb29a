"""Before it starts: how long a backlog would take, on a backend that slows down with it. Pure."""

from collections.abc import Sequence
from typing import Final

from orderboard.burst.conductor import Plan
from orderboard.burst.faults import FreezeWorkers, StartWorkers, StopWorkers, ThawWorkers

_STEP_S: Final = 0.5
_TOO_LONG_S: Final = 600.0
_LOOK_AHEAD_S: Final = 24 * 3600.0
_FREE_BACKLOG: Final = 1_000


def warning(plan: Plan, *, backend: str) -> str | None:
    """What to mind before this burst is started; None when there is nothing. Only MiniStack slows with its backlog."""
    if backend != "ministack":
        return None
    takes_s = forecast_s(plan.times_s, _away(plan))
    if takes_s < _TOO_LONG_S:
        return None
    about = "more than a day" if takes_s >= _LOOK_AHEAD_S else f"about {takes_s / 60:.0f} minutes"
    return (
        f"this may take {about}. MiniStack handles a few hundred orders a second, and fewer the longer its queues "
        "are. Spread the orders over more time, send fewer, or use the embedded backend."
    )


def forecast_s(times_s: Sequence[float], away: Sequence[tuple[float, float]]) -> float:
    """How long until the last order has ended, roughly; away is when no worker works. Never more than a day."""
    now_s, backlog, number = 0.0, 0.0, 0
    while number < len(times_s) or backlog > 0:
        if now_s >= _LOOK_AHEAD_S:
            return _LOOK_AHEAD_S
        now_s += _STEP_S
        while number < len(times_s) and times_s[number] <= now_s:
            number, backlog = number + 1, backlog + 1
        if not any(start_s <= now_s < end_s for start_s, end_s in away):
            backlog = max(0.0, backlog - orders_per_s(backlog) * _STEP_S)
    return now_s


def orders_per_s(backlog: float) -> float:
    """What MiniStack makes in a second with so many messages waiting: each receive looks at all of them."""
    return 250.0 if backlog <= _FREE_BACKLOG else 250.0 * _FREE_BACKLOG / backlog


def _away(plan: Plan) -> list[tuple[float, float]]:
    starts = [fault.at_s for fault in plan.faults if isinstance(fault, StopWorkers | FreezeWorkers)]
    ends = [fault.at_s for fault in plan.faults if isinstance(fault, StartWorkers | ThawWorkers)]
    return list(zip(sorted(starts), sorted(ends), strict=True))

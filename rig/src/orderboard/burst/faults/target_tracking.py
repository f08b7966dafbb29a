"""Target tracking, as ECS service auto scaling does it, on the backlog per worker. Pure, with a clock from outside.

Each period gives a data point: the messages that wait, by the workers that run. When as many in a row as the alarm
needs are above the target, there are to be ceil(capacity x data point / target) workers, within the bounds; when enough
are clearly below it, fewer, by the same rule. Cooldowns: a scale-out within one is measured from the capacity before
the first, so what it added counts and only a larger one adds more; a scale-in waits for its own, and a scale-out ends
that. Without workers a period has no data point, and nothing is scaled.
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
"""

import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from orderboard.option_values import parse_duration, parse_number, parse_whole_number

_MAX_WORKERS: Final = 32
_BOUNDS: Final = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_FORM: Final = "auto:MIN-MAX,backlog-per-worker=N, such as auto:1-8,backlog-per-worker=200"


@dataclass(frozen=True)
class ScalingPolicy:
    """A policy. The defaults are those of AWS for ECS: cooldowns as documented, alarms as it makes them."""

    least: int
    most: int
    backlog_per_worker: float
    scale_out_cooldown_s: float = 300.0
    scale_in_cooldown_s: float = 300.0
    period_s: float = 60.0
    out_periods: int = 3
    in_periods: int = 15
    in_below: float = 0.9  # of the target

    @property
    def first_after_s(self) -> float:
        """The earliest time of a scale-out."""
        return self.out_periods * self.period_s

    def __str__(self) -> str:
        defaults = {each.name: each.default for each in fields(self)}
        values = {"backlog_per_worker": f"{self.backlog_per_worker:g}"}
        for key, (name, is_time) in _SETTINGS.items():
            value = getattr(self, name)
            if key != "backlog-per-worker" and value != defaults[name]:
                values[key] = f"{value:g}s" if is_time else f"{value:g}"
        settings = ",".join(f"{key.replace('_', '-')}={value}" for key, value in values.items())
        return f"auto:{self.least}-{self.most},{settings}"


# A setting -> the field, and whether it is a duration.
_SETTINGS: Final[Mapping[str, tuple[str, bool]]] = {
    "backlog-per-worker": ("backlog_per_worker", False),
    "scale-out-cooldown": ("scale_out_cooldown_s", True),
    "scale-in-cooldown": ("scale_in_cooldown_s", True),
    "period": ("period_s", True),
    "out-periods": ("out_periods", False),
    "in-periods": ("in_periods", False),
}


@dataclass(frozen=True)
class Scaling:
    """A decision: so many workers, after this data point."""

    workers: int
    backlog_per_worker: float


class TargetTracking:
    """The state of a policy: the data points, and the cooldowns."""

    def __init__(self, policy: ScalingPolicy) -> None:
        self._policy = policy
        self.desired = policy.least
        self._points: deque[float | None] = deque(maxlen=max(policy.out_periods, policy.in_periods))
        self._period_ends_s = policy.period_s
        self._waiting = self._running = 0  # sums of what was observed in this period
        self._out: tuple[float, int] | None = None  # the last scale-out, and the capacity before the first
        self._in_at_s = -math.inf

    def observe(self, now_s: float, *, waiting: int, workers: int) -> Scaling | None:
        """Take the current numbers; return a decision at the end of a period, or None."""
        self._waiting += waiting
        self._running += workers
        if now_s < self._period_ends_s:
            return None
        period_s = self._policy.period_s
        self._period_ends_s += period_s * (1 + math.floor((now_s - self._period_ends_s) / period_s))
        self._points.append(self._waiting / self._running if self._running else None)
        self._waiting = self._running = 0
        return self._decide(now_s)

    def _decide(self, now_s: float) -> Scaling | None:
        policy = self._policy
        if self._all(policy.out_periods, above=policy.backlog_per_worker):
            return self._scale_out(now_s)
        if self._all(policy.in_periods, below=policy.in_below * policy.backlog_per_worker):
            return self._scale_in(now_s)
        return None

    def _scale_out(self, now_s: float) -> Scaling | None:
        policy, cooling = self._policy, None
        if self._out is not None and now_s < self._out[0] + policy.scale_out_cooldown_s:
            cooling = self._out[1]
        before = self.desired if cooling is None else cooling
        wanted = self._wanted(before)
        if wanted <= self.desired:
            return None
        self._out, self._in_at_s, self.desired = (now_s, before), -math.inf, wanted
        return Scaling(wanted, self._points[-1] or 0.0)

    def _scale_in(self, now_s: float) -> Scaling | None:
        wanted = self._wanted(self.desired)
        if wanted >= self.desired or now_s < self._in_at_s + self._policy.scale_in_cooldown_s:
            return None
        self._in_at_s, self.desired = now_s, wanted
        return Scaling(wanted, self._points[-1] or 0.0)

    def _wanted(self, capacity: int) -> int:
        policy = self._policy
        wanted = math.ceil(round(capacity * (self._points[-1] or 0.0) / policy.backlog_per_worker, 6))
        return min(max(wanted, policy.least), policy.most)

    def _all(self, periods: int, *, above: float = -math.inf, below: float = math.inf) -> bool:
        last = list(self._points)[-periods:]
        return len(last) == periods and all(point is not None and above < point < below for point in last)


def parse_policy(text: str) -> ScalingPolicy:
    """Parse `auto:1-8,backlog-per-worker=200`, with cooldowns and alarms; raise ValueError with the reason."""
    bounds, *settings = text.removeprefix("auto:").split(",")
    if not text.startswith("auto:") or (match := _BOUNDS.fullmatch(bounds.strip())) is None:
        raise ValueError(f"expected {_FORM}")
    least, most = int(match[1]), int(match[2])
    if not 1 <= least <= most <= _MAX_WORKERS:
        raise ValueError(f"expected 1 to {_MAX_WORKERS} workers, the least first")
    values: dict[str, float] = {}
    for part in settings:
        key, _, value = (each.strip() for each in part.partition("="))
        if key not in _SETTINGS:
            raise ValueError(f"unknown setting {key!r}; expected one of {', '.join(_SETTINGS)}")
        name, is_time = _SETTINGS[key]
        if name in values:
            raise ValueError(f"{key} is given twice")
        whole = name.endswith("_periods")
        values[name] = parse_duration(value) if is_time else parse_whole_number(value) if whole else parse_number(value)
        if values[name] <= 0 and not name.endswith("_cooldown_s"):
            raise ValueError(f"expected {key} above 0")
    if "backlog_per_worker" not in values:
        raise ValueError(f"backlog-per-worker is missing: expected {_FORM}")
    return ScalingPolicy(least, most, **values)  # type: ignore[arg-type]  # the whole numbers are whole

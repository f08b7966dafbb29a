"""The evaluation of an alarm: a state, and a reason for it, from the data points of the evaluation range.

Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

# AWS's example retrieves 5 points for 3 periods, and says that the number depends on period and resolution.
EXTRA_PERIODS: Final = 2

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"


class Datum(NamedTuple):
    """A data point: the start of its period and its value."""

    at: int
    value: float


class Verdict(NamedTuple):
    """The state that an evaluation leads to, its reason, and the data points by which it was decided, newest first."""

    state: str
    reason: str
    data: tuple[Datum, ...] = ()


@dataclass(frozen=True)
class Rule:
    """The part of an alarm's definition that decides: M (`datapoints`) of the last N (`periods`) points breach.

    `is_m_of_n` says that M was given.
    """

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    treat_missing: str = "missing"
    is_m_of_n: bool = False


class _Comparison(NamedTuple):
    breaches: Callable[[float, float], bool]
    words: str


_COMPARISONS: Final[Mapping[str, _Comparison]] = {
    "GreaterThanOrEqualToThreshold": _Comparison(operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": _Comparison(operator.gt, "greater than"),
    "LessThanOrEqualToThreshold": _Comparison(operator.le, "less than or equal to"),
    "LessThanThreshold": _Comparison(operator.lt, "less than"),
}
COMPARISONS: Final = frozenset(_COMPARISONS)


def evaluate(points: Sequence[Datum | None], rule: Rule, current: str) -> Verdict:
    """Return the verdict on the points of the evaluation range, oldest first; None is a period without data.

    Enough real points decide alone. Too few are completed by the treatment of missing data, and a state that neither
    decides is kept (`ignore`) or becomes INSUFFICIENT_DATA (`missing`).
    """
    real = [point for point in points if point is not None]
    if len(real) >= rule.periods:
        chosen = real[-rule.periods :]
        return _decided(chosen, rule, 0, current)
    missing = rule.periods - len(real)
    match rule.treat_missing:
        case "breaching" | "notBreaching":
            return _decided(real, rule, missing, current)
        case _ if _is_ok_or_alarm(points, real, rule):
            return _decided(real, rule, 0, current, is_alarm=_is_alarm(points, real, rule))
        case "ignore":
            return Verdict(current, "")
    return Verdict(
        INSUFFICIENT_DATA, f"Insufficient Data: {_count(missing, 'datapoint was', 'datapoints were')} unknown."
    )


def _breaching(points: Sequence[Datum], rule: Rule) -> list[Datum]:
    breaches = _COMPARISONS[rule.comparison].breaches
    return [point for point in points if breaches(point.value, rule.threshold)]


def _is_ok_or_alarm(points: Sequence[Datum | None], real: Sequence[Datum], rule: Rule) -> bool:
    """Return whether the real points decide, although they are too few: one does not breach, or it is ALARM."""
    return len(_breaching(real, rule)) < len(real) or _is_alarm(points, real, rule)


def _is_alarm(points: Sequence[Datum | None], real: Sequence[Datum], rule: Rule) -> bool:
    """Return whether too few real points raise the alarm: M of them breach, or all do and the oldest is M periods old.

    The second is the rule against premature alarms, which holds for `missing` only.
    """
    breaching = _breaching(real, rule)
    if len(breaching) >= rule.datapoints:
        return True
    if rule.treat_missing == "ignore" or not real or len(breaching) < len(real):
        return False
    age = len(points) - next(place for place, point in enumerate(points) if point is not None)
    return age >= rule.datapoints


def _decided(real: Sequence[Datum], rule: Rule, filled: int, current: str, *, is_alarm: bool | None = None) -> Verdict:
    breaching = _breaching(real, rule)
    total = len(breaching) + (filled if rule.treat_missing == "breaching" else 0)
    raises = total >= rule.datapoints if is_alarm is None else is_alarm
    state = ALARM if raises else OK
    others = [point for point in real if point not in breaching]
    shown = (breaching or others) if raises else (others or breaching)
    return Verdict(state, _reason(shown, rule, filled, current, state), tuple(reversed(real)))


def _reason(shown: Sequence[Datum], rule: Rule, filled: int, current: str, state: str) -> str:
    """Return the reason in CloudWatch's words, which its documentation does not list (recorded from its messages)."""
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(rule.treat_missing, "")
    missing = f"{_count(filled, 'missing datapoint was', 'missing datapoints were')} treated as [{treated}]"
    if not shown:
        periods = _count(rule.periods, "period", "periods")
        return f"Threshold Crossed: no datapoints were received for {periods} and {missing}."
    comparison = _COMPARISONS[rule.comparison]
    times = [datetime.fromtimestamp(point.at, UTC) for point in shown]
    values = [f"{point.value!r} ({at:%d/%m/%y %H:%M:%S})" for point, at in zip(shown, times, strict=True)]
    number, are = _count(len(shown), "datapoint", "datapoints"), "was" if len(shown) == 1 else "were"
    if rule.is_m_of_n:
        number = f"{len(shown)} out of the last {rule.periods} datapoints"
    crossed = "" if comparison.breaches(shown[0].value, rule.threshold) else " not"
    text = f"{number} [{', '.join(reversed(values))}] {are}{crossed} {comparison.words} the threshold"
    text += f" ({rule.threshold!r})"
    text += f" and {missing}" if filled else ""
    if rule.is_m_of_n:
        needed = rule.datapoints if state == ALARM else rule.periods - rule.datapoints + 1
        before = current if current != INSUFFICIENT_DATA else (OK if state == ALARM else ALARM)
        text += f" (minimum {_count(needed, 'datapoint', 'datapoints')} for {before} -> {state} transition)"
    return f"Threshold Crossed: {text}."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"

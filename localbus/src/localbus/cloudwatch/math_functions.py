"""The operators and functions of metric math: a value is a number, a time series or a list of time series.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

TimeSeries = dict[int, float]  # values by the start of their period
Value = float | TimeSeries | list[TimeSeries]


class MathError(Exception):
    """Arguments that a function does not take."""


class Range(NamedTuple):
    """The periods of an evaluation, by their starts."""

    period_s: int
    times: Sequence[int]


class Function(NamedTuple):
    """A function and the numbers of arguments that it takes. It raises MathError for arguments of a wrong type."""

    arguments: tuple[int, ...]
    function: Callable[..., Value]


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan  # no value, as nothing is shown for it


def _power(left: float, right: float) -> float:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return math.nan
    return math.nan if isinstance(found, complex) else found


_OPERATORS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}
_SAME_AS: Final = {"&&": "AND", "||": "OR"}


def combine(name: str, left: Value, right: Value) -> Value:
    """Return the result of an operator: a list gets it for each of its series. See `finite`."""
    if isinstance(left, list):
        return [_series(combine(name, one, right)) for one in left]
    if isinstance(right, list):
        return [_series(combine(name, left, one)) for one in right]
    function = _OPERATORS[_SAME_AS.get(name, name)]
    if isinstance(left, dict) and isinstance(right, dict):
        return {at: function(left[at], right[at]) for at in left if at in right}
    if isinstance(left, dict):
        return {at: function(value, right) for at, value in left.items()}  # type: ignore[arg-type]
    if isinstance(right, dict):
        return {at: function(left, value) for at, value in right.items()}
    return function(left, right)


def finite(value: Value) -> Value:
    """Return a result without what cannot be computed: a time series has no value there. A number stays as it is."""
    if isinstance(value, list):
        return [{at: one for at, one in series.items() if math.isfinite(one)} for series in value]
    if isinstance(value, dict):
        return {at: one for at, one in value.items() if math.isfinite(one)}
    return value


def _series(value: Value) -> TimeSeries:
    if isinstance(value, dict):
        return value
    raise MathError("a time series is needed in place of a number or a list")


def _each(function: Callable[[float], float]) -> Callable[[Range, Value], Value]:
    """Apply a function to a number, or to each value of a series or of several."""

    def apply(given: Range, value: Value) -> Value:
        if isinstance(value, list):
            return [_series(apply(given, one)) for one in value]
        if isinstance(value, dict):
            return {at: function(one) for at, one in value.items()}
        return function(value) if math.isfinite(value) else math.nan

    return apply


def _over(function: Callable[[Sequence[float]], float]) -> Callable[[Range, Value], Value]:
    """Reduce several series to one, by their values at a time; and one series to a number."""

    def apply(_given: Range, value: Value) -> Value:
        if isinstance(value, list):
            times = sorted({at for one in value for at in one})
            return {at: function([one[at] for one in value if at in one]) for at in times}
        values = list(_series(value).values())
        return function(values) if values else math.nan

    return apply


def _if(_given: Range, condition: Value, yes: Value, no: Value | None = None) -> Value:
    """IF: the third argument is optional; without it nothing has a value where the condition is not met."""
    if not isinstance(condition, dict):
        if isinstance(condition, list):
            raise MathError("the condition must be one time series or a number")
        chosen = yes if condition else no
        return {} if chosen is None else chosen
    found: TimeSeries = {}
    for at, met in condition.items():
        chosen = yes if met else no
        value = chosen.get(at) if isinstance(chosen, dict) else chosen
        if isinstance(value, list):
            raise MathError("a list has no value at a time")
        if value is not None:
            found[at] = value
    return found


def _fill(given: Range, value: Value, filler: Value) -> Value:
    """FILL with a number, or with another series."""
    if isinstance(value, list):
        return [_series(_fill(given, one, filler)) for one in value]
    series, found = _series(value), TimeSeries()
    for at in given.times:
        other = filler.get(at) if isinstance(filler, dict) else filler
        if isinstance(other, list):
            raise MathError("a list cannot fill a time series")
        one = series.get(at, other)
        if one is not None:
            found[at] = one
    return found


def _difference(given: Range, value: Value) -> Value:
    series = _series(value)
    return {at: one - series[at - given.period_s] for at, one in series.items() if at - given.period_s in series}


def _rate(given: Range, value: Value) -> Value:
    return {at: one / given.period_s for at, one in _series(_difference(given, value)).items()}


def _running_sum(_given: Range, value: Value) -> Value:
    total, found = 0.0, TimeSeries()
    for at, one in sorted(_series(value).items()):
        total += one
        found[at] = total
    return found


def _time_series(given: Range, value: Value) -> Value:
    if isinstance(value, dict | list):
        raise MathError("a number is needed in place of a time series")
    return dict.fromkeys(given.times, value)


def _logarithm(function: Callable[[float], float]) -> Callable[[Range, Value], Value]:
    return _each(lambda value: function(value) if value > 0 else math.nan)


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _stddev(values: Sequence[float]) -> float:
    mean = _average(values)
    return math.sqrt(sum((value - mean) * (value - mean) for value in values) / len(values))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "ABS": Function((1,), _each(abs)),
    "AVG": Function((1,), _over(_average)),
    "CEIL": Function((1,), _each(math.ceil)),
    "DIFF": Function((1,), _difference),
    "FILL": Function((2,), _fill),
    "FLOOR": Function((1,), _each(math.floor)),
    "IF": Function((2, 3), _if),
    "LOG": Function((1,), _logarithm(math.log)),
    "LOG10": Function((1,), _logarithm(math.log10)),
    "MAX": Function((1,), _over(max)),
    "MIN": Function((1,), _over(min)),
    "PERIOD": Function((1,), lambda given, _series: float(given.period_s)),
    "RATE": Function((1,), _rate),
    "RUNNING_SUM": Function((1,), _running_sum),
    "STDDEV": Function((1,), _over(_stddev)),
    "SUM": Function((1,), _over(sum)),
    "TIME_SERIES": Function((1,), _time_series),
}

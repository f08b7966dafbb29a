"""Statistics of a period: Average, Sum, Minimum, Maximum, SampleCount and percentiles.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import re
from typing import Final

from localbus.cloudwatch.metric import Point
from localbus.errors import AwsError

_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_NOT_BUILT: Final = re.compile(r"(?:tm|wm|tc|ts)\d.*|(?:TM|WM|TC|TS|PR)\(.*\)|IQM", re.IGNORECASE)
SIMPLE: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


def check_statistic(name: str) -> None:
    """Raise AwsError unless localbus has this statistic."""
    if name in SIMPLE or _PERCENTILE.fullmatch(name):
        return
    if _NOT_BUILT.fullmatch(name):
        raise AwsError("NotImplemented", f"The statistic {name} is not implemented: use a percentile such as p99.")
    expected = f"expected {', '.join(SIMPLE)} or a percentile such as p99"
    raise AwsError("InvalidParameterValueException", f"The statistic {name} is not valid: {expected}.")


def statistic(point: Point, name: str) -> float | None:
    """Return a statistic of a period; None for a percentile of values that are not known singly."""
    match name:
        case "SampleCount":
            return point.samples
        case "Average":
            return point.total / point.samples if point.samples else None
        case "Sum":
            return point.total
        case "Minimum":
            return point.minimum
        case "Maximum":
            return point.maximum
    return _percentile(point, float(name[1:]))


def _percentile(point: Point, percent: float) -> float | None:
    """Return the smallest value that so many percent of all do not exceed."""
    occurrences = point.occurrences
    if occurrences is None:
        return None
    wanted, seen = point.samples * percent / 100, 0.0
    for value in sorted(occurrences):
        seen += occurrences[value]
        if seen >= wanted:
            return value
    return point.maximum

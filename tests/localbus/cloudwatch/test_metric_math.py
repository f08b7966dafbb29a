"""Expressions over metrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import pytest
from localbus.cloudwatch.metric_math import Expression, TimeSeries
from localbus.errors import AwsError

A: TimeSeries = {0: 1.0, 60: 2.0, 120: 4.0}
B: TimeSeries = {60: 10.0, 120: 0.0}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a + b", {60: 12.0, 120: 4.0}),
        ("a * 2 + 1", {0: 3.0, 60: 5.0, 120: 9.0}),
        ("1 + a * 2 ^ 2", {0: 5.0, 60: 9.0, 120: 17.0}),
        ("-a", {0: -1.0, 60: -2.0, 120: -4.0}),
        ("(a - 1) / b", {60: 0.1}),
        ("a > 1", {0: 0.0, 60: 1.0, 120: 1.0}),
        ("a > 1 AND b == 0", {60: 0.0, 120: 1.0}),
        ("b == 0 || a >= 2", {60: 1.0, 120: 1.0}),
        ("IF(a > 1, b, 7)", {0: 7.0, 60: 10.0, 120: 0.0}),
        ("IF(a > 1, a)", {60: 2.0, 120: 4.0}),
        ("FILL(b, 0)", {0: 0.0, 60: 10.0, 120: 0.0}),
        ("a + FILL(b, 0)", {0: 1.0, 60: 12.0, 120: 4.0}),
        ("SUM([a, b])", {0: 1.0, 60: 12.0, 120: 4.0}),
        ("MAX(METRICS())", {0: 1.0, 60: 10.0, 120: 4.0}),
        ("a / SUM(a)", {0: 1 / 7, 60: 2 / 7, 120: 4 / 7}),
        ("a / PERIOD(a)", {0: 1 / 60, 60: 2 / 60, 120: 4 / 60}),
        ("DIFF(a)", {60: 1.0, 120: 2.0}),
        ("RATE(a)", {60: 1 / 60, 120: 2 / 60}),
        ("RUNNING_SUM(a)", {0: 1.0, 60: 3.0, 120: 7.0}),
        ("CEIL(a / 3)", {0: 1.0, 60: 1.0, 120: 2.0}),
        ("TIME_SERIES(5)", {0: 5.0, 60: 5.0, 120: 5.0}),
        ("a" + "+a" * 500, {0: 501.0, 60: 1002.0, 120: 2004.0}),
    ],
)
def test_values(text: str, values: TimeSeries) -> None:
    """Operators bind as in arithmetic, and two series are combined where both have a value."""
    assert Expression(text).evaluate({"a": A, "b": B}, ["a", "b"], 60, [0, 60, 120]) == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a * CEIL(AVG(none))", {}),
        ("a + FLOOR(1 / 0)", {}),
        ("FILL(b, MAX(none))", {60: 10.0, 120: 0.0}),
        ("IF(a > 1, AVG(none), 7)", {0: 7.0}),
        ("IF(AVG(none) > 0, a, b)", B),
        ("TIME_SERIES(SUM(none))", {}),
        ("SUM([large, large])", {}),
        ("RUNNING_SUM(large)", {0: 1e308}),
        ("a * STDDEV(wide)", {}),
    ],
)
def test_no_value(text: str, values: TimeSeries) -> None:
    """A number that cannot be computed, such as the average of no data, leaves a gap, and does not fail."""
    given: dict[str, TimeSeries] = {
        "a": A,
        "b": B,
        "none": {},
        "large": {0: 1e308, 60: 1e308},
        "wide": {0: 1e200, 60: 0},
    }
    assert Expression(text).evaluate(given, [], 60, [0, 60, 120]) == values


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a +", "it ends too early"),
        ("a b", "'b' is not expected here"),
        ("(a", r"'\)' is missing"),
        ("a ? b", r"'\?' is not expected here"),
        ("SEARCH(a)", "localbus does not have the function SEARCH"),
        ("IF(a)", "IF takes 2 or 3 arguments, and has 1"),
        ("(" * 40 + "a" + ")" * 40, "deeper than 30"),
        ("-" * 40 + "a", "deeper than 30"),
        ("a" + " ^ 2" * 40, "deeper than 30"),
        ("SUM(a)", "its result is a number"),
        ("[a, b]", "its result is several time series"),
        ("RATE([a, b])", "a time series is needed"),
        ("[a, b] + [a, b]", "a time series is needed"),
    ],
)
def test_invalid_expressions(text: str, problem: str) -> None:
    """An expression that is not valid is refused with the place or the reason."""
    with pytest.raises(AwsError, match=problem):
        Expression(text).evaluate({"a": A, "b": B}, ["a", "b"], 60, [0, 60, 120])

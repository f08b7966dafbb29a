"""The verdict on an alarm's data points.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html (both tables, and
"Avoiding premature transitions to alarm state")
"""

from __future__ import annotations

import pytest
from localbus.cloudwatch.alarm_evaluation import Datum, Rule, evaluate

OK, ALARM, MISSING, KEPT = "OK", "ALARM", "INSUFFICIENT_DATA", "kept"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def points(text: str) -> list[Datum | None]:
    """Return the points of AWS's notation, oldest first: X breaches, 0 does not, - is missing."""
    values = {"0": 0.0, "X": 5.0}
    return [Datum(60 * place, values[one]) if one in values else None for place, one in enumerate(text.split())]


@pytest.mark.parametrize(
    ("data", "datapoints", "states"),
    [
        ("0 - X - X", 3, (OK, OK, OK, OK)),
        ("0 - - - -", 3, (OK, OK, OK, OK)),
        ("- - - - 0", 3, (OK, OK, OK, OK)),
        ("- - - - -", 3, (MISSING, KEPT, ALARM, OK)),
        ("0 X X - X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", 3, (ALARM, KEPT, ALARM, OK)),
        ("- - - - X", 3, (MISSING, KEPT, ALARM, OK)),
        ("0 - X - X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", 2, (OK, OK, ALARM, OK)),
        ("- - - - 0", 2, (OK, OK, ALARM, OK)),
        ("- - - X -", 2, (ALARM, KEPT, ALARM, OK)),
        ("X X 0 0 0", 3, (OK, OK, OK, OK)),
    ],
)
def test_tables_of_missing_data(data: str, datapoints: int, states: tuple[str, ...]) -> None:
    """Each row of AWS's tables, for M of 3 in a range of five points, gives AWS's states."""
    for treatment, state in zip(TREATMENTS, states, strict=True):
        rule = Rule("GreaterThanThreshold", 1.0, 3, datapoints, treatment)

        assert evaluate(points(data), rule, KEPT).state == state, treatment


@pytest.mark.parametrize(
    ("data", "rule", "reason"),
    [
        (
            "X",
            Rule("GreaterThanThreshold", 0.0, 1, 1),
            "Threshold Crossed: 1 datapoint [5.0 (01/01/70 00:00:00)] was greater than the threshold (0.0).",
        ),
        (
            "0 X",
            Rule("GreaterThanOrEqualToThreshold", 5.0, 2, 1, is_m_of_n=True),
            "Threshold Crossed: 1 out of the last 2 datapoints [5.0 (01/01/70 00:01:00)] was greater than or equal to"
            " the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            "- -",
            Rule("LessThanThreshold", 1.0, 2, 2, "breaching"),
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as"
            " [Breaching].",
        ),
        (
            "0 -",
            Rule("GreaterThanOrEqualToThreshold", 1.0, 2, 2, "breaching"),
            "Threshold Crossed: 1 datapoint [0.0 (01/01/70 00:00:00)] was not greater than or equal to the threshold"
            " (1.0) and 1 missing datapoint was treated as [Breaching].",
        ),
        ("-", Rule("GreaterThanThreshold", 0.0, 1, 1), "Insufficient Data: 1 datapoint was unknown."),
    ],
)
def test_reasons(data: str, rule: Rule, reason: str) -> None:
    """The reason names the data points, newest first, in the words that CloudWatch's messages have (recorded)."""
    assert evaluate(points(data), rule, "OK").reason == reason

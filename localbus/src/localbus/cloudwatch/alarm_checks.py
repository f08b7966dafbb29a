"""The checks of an alarm's definition.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from typing import Final

from localbus.cloudwatch.alarm import SHORTEST_PERIOD_S
from localbus.cloudwatch.alarm_evaluation import COMPARISONS
from localbus.cloudwatch.errors import bad_combination, invalid, missing
from localbus.cloudwatch.metric_query import check_period, check_queries
from localbus.cloudwatch.statistics import check_statistic
from localbus.errors import not_implemented
from localbus.input_values import is_unicode
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

DAY_S: Final = 86_400
_TREATMENTS: Final = ("breaching", "notBreaching", "ignore", "missing")
_SINGLE: Final = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
_NOT_BUILT: Final = (
    "ThresholdMetricId",
    "EvaluationCriteria",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationInterval",
)
_MOST_METRICS: Final = 10


def check_definition(given: Params) -> None:
    """Raise AwsError for a definition that is not valid, or with a part that localbus does not have."""
    for name in _NOT_BUILT:
        if name in given:
            raise not_implemented("cloudwatch", f"PutMetricAlarm with {name}")
    if not is_unicode(given["AlarmName"]):
        raise invalid("AlarmName has half of a surrogate pair: it must be valid Unicode.")
    _check_decision(given)
    (_check_queries if "Metrics" in given else _check_metric)(given)


def _check_decision(given: Params) -> None:
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if name not in given:
            raise missing(f"The parameter {name} is required.")
    if given["ComparisonOperator"] not in COMPARISONS:
        raise not_implemented("cloudwatch", f"PutMetricAlarm with {given['ComparisonOperator']}")
    periods = given["EvaluationPeriods"]
    if given.get("DatapointsToAlarm", 1) > periods:
        raise invalid(f"DatapointsToAlarm must not be greater than EvaluationPeriods ({periods}).")
    if given.get("TreatMissingData", "missing") not in _TREATMENTS:
        raise invalid(f"TreatMissingData must be one of {', '.join(_TREATMENTS)}.")


def _check_metric(given: Params) -> None:
    for name in ("MetricName", "Namespace", "Period"):
        if name not in given:
            raise missing(f"The parameter {name} is required, as there are no Metrics.")
    if ("Statistic" in given) == ("ExtendedStatistic" in given):
        raise bad_combination("Exactly one of Statistic and ExtendedStatistic must be specified.")
    check_statistic(given.get("Statistic") or given["ExtendedStatistic"])
    _check_period(given["Period"], given["EvaluationPeriods"])


def _check_period(period_s: int, periods: int) -> None:
    check_period(period_s)
    if period_s < SHORTEST_PERIOD_S:
        raise invalid(f"The Period of an alarm must be 10, 20, 30 or a multiple of 60; {period_s} is none of them.")
    longest = 7 * DAY_S if period_s >= 3600 else DAY_S
    if period_s * periods > longest:
        raise invalid(
            f"Metrics cannot be checked across more than {longest // DAY_S} days: {periods} periods of {period_s} s."
        )


def _check_queries(given: Params) -> None:
    queries = given["Metrics"]
    for name in _SINGLE:
        if name in given:
            raise bad_combination(f"The parameters Metrics and {name} exclude each other.")
    check_queries(queries)
    returning = [query["Id"] for query in queries if query.get("ReturnData", True)]
    if len(returning) != 1:
        raise invalid(f"Exactly one of Metrics must return data; {len(returning)} do.")
    periods = {query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}
    if not periods or len(periods) > 1:
        raise invalid("Metrics must have at least one MetricStat, and all must have the same Period.")
    if sum("MetricStat" in query for query in queries) > _MOST_METRICS:
        raise invalid(f"An alarm on an expression has at most {_MOST_METRICS} metrics.")
    _check_period(periods.pop(), given["EvaluationPeriods"])


def check_action(action: str, caller: Caller) -> None:
    """Raise AwsError for an action that would never be executed."""
    parts = action.split(":")
    if len(parts) != 6 or parts[0] != "arn":
        service = parts[2] if len(parts) > 2 else action
        if parts[0] != "arn" or service == "sns":
            raise invalid(f"Invalid arn syntax: {action}")
        raise not_implemented("cloudwatch", f"the action {service} of an alarm; a topic is possible")
    if parts[2] != "sns":
        raise not_implemented("cloudwatch", f"the action {parts[2]} of an alarm; a topic is possible")
    if parts[3] != caller.region:
        raise invalid(f"Invalid region {parts[3]} specified. Only {caller.region} is supported.")
    if action.endswith(".fifo"):
        raise invalid(f"{action} is a FIFO topic, to which an alarm cannot publish: use a standard topic.")

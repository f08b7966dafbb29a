"""PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, Final

from localbus.cloudwatch.alarm import moment
from localbus.cloudwatch.errors import bad_combination, invalid_value, missing
from localbus.cloudwatch.metric import NO_UNIT, MetricId, Point, dimensions_of, shown_dimensions
from localbus.cloudwatch.metric_query import Owner, Queries, check_period, check_queries, metric_of, periods_of
from localbus.cloudwatch.metric_store import KEEP_MINUTES_S
from localbus.cloudwatch.state import CloudWatch
from localbus.cloudwatch.statistics import check_statistic, statistic
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MAX_DATA: Final = 1_000
MAX_VALUES: Final = 150
MAX_DATAPOINTS: Final = 1_440  # of GetMetricStatistics
MAX_RESULT_POINTS: Final = 100_800  # of GetMetricData
OLDEST_S, NEWEST_S = 14 * 86_400, 2 * 3_600
RECENTLY_S: Final = 3 * 3_600
_LARGEST: Final = 2.0**360
_NAMESPACE: Final = re.compile(r"[^:].*")


def put_metric_data(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """PutMetricData: all data points, or none if one is not valid."""
    namespace = params["Namespace"]
    if namespace.startswith("AWS/"):
        raise invalid_value("The value AWS/ for parameter Namespace is invalid.")
    if not _NAMESPACE.fullmatch(namespace):
        raise invalid_value("The parameter Namespace must not begin with a colon.")
    groups = [params.get("MetricData", []), *(one.get("MetricData", []) for one in params.get("EntityMetricData", []))]
    data = [datum for group in groups for datum in group]
    if not data:
        raise missing("The parameter MetricData is required.")
    if len(data) > MAX_DATA:
        raise invalid_value(f"The collection MetricData must not have a size greater than {MAX_DATA}.")
    now = cloudwatch.clock.now()
    read = [(datum, _time(datum, now, place), _point(datum, place)) for place, datum in enumerate(data, 1)]
    for datum, at, point in read:
        metric = MetricId(caller.account, caller.region, namespace, datum["MetricName"], _dimensions(datum))
        high = datum.get("StorageResolution", 60) == 1
        cloudwatch.metrics.add(metric, datum.get("Unit", NO_UNIT), at, point, high_resolution=high)
    return {}


def _dimensions(datum: Params) -> tuple[tuple[str, str], ...]:
    return dimensions_of(datum.get("Dimensions", ()))


def _time(datum: Params, now: float, place: int) -> float:
    given: datetime | None = datum.get("Timestamp")
    at = now if given is None else given.timestamp()
    if not now - OLDEST_S <= at <= now + NEWEST_S:
        text = f"The parameter MetricData.member.{place}.Timestamp must specify a time within the past two weeks"
        raise invalid_value(f"{text} and no more than two hours in the future.")
    return at


def _point(datum: Params, place: int) -> Point:
    """Return the point of a Value, of Values with Counts or of StatisticValues. Raises AwsError."""
    where = f"MetricData.member.{place}"
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if len(given) != 1:
        error = missing if not given else bad_combination
        raise error(f"The parameters {where}.Value, .Values and .StatisticValues: exactly one must be specified.")
    if datum.get("StorageResolution", 60) not in {1, 60}:
        raise invalid_value(f"The parameter {where}.StorageResolution must be 1 or 60.")
    if given == ["Value"]:
        value = _number(datum["Value"], f"{where}.Value")
        return Point(1.0, value, value, value)
    if given == ["StatisticValues"]:
        names = ("SampleCount", "Sum", "Minimum", "Maximum")
        samples, total, low, high = (_number(datum["StatisticValues"][name], f"{where}.{name}") for name in names)
        point = Point(samples, total, low, high)
        if point.samples <= 0 or point.minimum > point.maximum:
            raise invalid_value(f"The parameter {where}.StatisticValues needs SampleCount > 0 and Minimum <= Maximum.")
        return point
    return _point_of_values(datum, where)


def _point_of_values(datum: Params, where: str) -> Point:
    values = [_number(value, f"{where}.Values") for value in datum["Values"]]
    counts = [_number(count, f"{where}.Counts") for count in datum.get("Counts", [1.0] * len(values))]
    if not 1 <= len(values) <= MAX_VALUES or len(counts) != len(values) or min(counts) < 0 or not sum(counts):
        text = f"has 1 to {MAX_VALUES} values, and as many counts, of which none is negative and not all are zero"
        raise invalid_value(f"The parameter {where}.Values {text}.")
    occurrences: dict[float, float] = {}
    for value, count in zip(values, counts, strict=True):
        if count:
            occurrences[value] = occurrences.get(value, 0.0) + count
    total = sum(value * count for value, count in occurrences.items())
    return Point(sum(occurrences.values()), total, min(occurrences), max(occurrences), occurrences)


def _number(value: float, where: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise invalid_value(f"The value {value} for parameter {where} is invalid: it must be within -2^360 to 2^360.")
    return value


def get_metric_data(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """GetMetricData. All results are on one page, so there is never a NextToken."""
    asked = params["MetricDataQueries"]
    check_queries(asked)
    now, (start, end) = cloudwatch.clock.now(), _range(params)
    start, end = max(start, now - KEEP_MINUTES_S), min(end, now + NEWEST_S)
    queries = Queries(cloudwatch.metrics, Owner(caller.account, caller.region), asked, start=start, end=end)
    limit = params.get("MaxDatapoints", MAX_RESULT_POINTS)
    results = []
    for query in asked:
        if query.get("ReturnData", True):
            found = sorted(queries.series(query["Id"]).items(), reverse=params.get("ScanBy") != "TimestampAscending")
            label = query.get("Label") or _label(query)
            times, values = [moment(at) for at, _ in found[:limit]], [value for _, value in found[:limit]]
            status = "Complete" if len(found) <= limit else "PartialData"
            results.append(
                {"Id": query["Id"], "Label": label, "Timestamps": times, "Values": values, "StatusCode": status}
            )
    return {"MetricDataResults": results, "Messages": []}


def _label(query: Params) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"]) if "MetricStat" in query else str(query["Id"])


def _range(params: Params) -> tuple[float, float]:
    start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
    if start >= end:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def get_metric_statistics(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """GetMetricStatistics."""
    simple, percentiles = params.get("Statistics", []), params.get("ExtendedStatistics", [])
    if not simple and not percentiles:
        raise missing("At least one of Statistics and ExtendedStatistics must be specified.")
    for name in (*simple, *percentiles):
        check_statistic(name)
    period_s: int = params["Period"]
    check_period(period_s)
    start, end = _range(params)
    if (end - start) / period_s > MAX_DATAPOINTS:
        text = f"You have requested up to {math.ceil((end - start) / period_s)} datapoints, which exceeds the limit of"
        raise bad_combination(f"{text} {MAX_DATAPOINTS}. Reduce the time range, or increase the period.")
    metric = metric_of(params, Owner(caller.account, caller.region))
    units = (params["Unit"],) if "Unit" in params else cloudwatch.metrics.units(metric)
    points = [
        {"Timestamp": moment(at), "Unit": unit, **_statistics(point, simple, percentiles)}
        for unit in units
        for at, point in cloudwatch.metrics.points(metric, unit, periods_of(start, end, period_s)).items()
    ]
    return {"Label": params["MetricName"], "Datapoints": points}


def _statistics(point: Point, simple: list[str], percentiles: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: statistic(point, name) for name in simple}
    known = {name: value for name in percentiles if (value := statistic(point, name)) is not None}
    return found | ({"ExtendedStatistics": known} if known else {})


def list_metrics(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """ListMetrics."""
    now = cloudwatch.clock.now()
    recent = params.get("RecentlyActive")
    if recent not in {None, "PT3H"}:
        raise AwsError("ValidationException", "RecentlyActive must be PT3H.")
    since = now - RECENTLY_S if recent else 0.0
    found = [
        metric for metric, at in cloudwatch.metrics.metrics(now) if at >= since and _is_wanted(metric, params, caller)
    ]
    return list_page(
        "Metrics",
        found,
        {"NextToken": params.get("NextToken"), "Limit": 500},
        key=str,
        show=lambda metric: {
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": shown_dimensions(metric.dimensions),
        },
    )


def _is_wanted(metric: MetricId, params: Params, caller: Caller) -> bool:
    if (metric.account, metric.region) != (caller.account, caller.region):
        return False
    if params.get("Namespace", metric.namespace) != metric.namespace:
        return False
    if params.get("MetricName", metric.name) != metric.name:
        return False
    known = dict(metric.dimensions)
    return all(
        one["Name"] in known and one.get("Value", known[one["Name"]]) == known[one["Name"]]
        for one in params.get("Dimensions", ())
    )

"""CloudWatch: what is published, read and computed."""

from __future__ import annotations

import time
from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import cloudwatch_api, cloudwatch_guide

GROUP = Group("CloudWatch", "Metrics")
behaviour = GROUP.behaviour
_SIZE = {"Name": "size", "Value": "L"}
_MILK = {"Name": "milk", "Value": "oat"}


def _put(aws: Aws, namespace: str, *data: dict[str, Any]) -> None:
    metrics = aws.client("cloudwatch")
    metrics.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "orders", **each} for each in data])


def _statistics(aws: Aws, namespace: str, *dimensions: dict[str, str], **wanted: list[str]) -> dict[str, float]:
    """Return the statistics of the last five minutes as one data point."""
    now = time.time()
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="orders",
        Dimensions=list(dimensions),
        StartTime=now - 300,
        EndTime=now + 60,
        Period=3600,
        **wanted,
    )
    point = dict(found["Datapoints"][0])
    return {
        name: value for name, value in (point | point.get("ExtendedStatistics", {})).items() if name in _names(wanted)
    }


def _names(wanted: dict[str, list[str]]) -> list[str]:
    return [name for names in wanted.values() for name in names]


@behaviour(cloudwatch_api("PutMetricData"))
def values_with_counts(aws: Aws) -> None:
    """Values with counts are as many samples as the counts say."""
    namespace = aws.name()
    _put(aws, namespace, {"Values": [1.0, 9.0], "Counts": [3.0, 1.0]})

    same(
        "gives",
        _statistics(aws, namespace, Statistics=["SampleCount", "Sum", "Maximum"]),
        {"SampleCount": 4, "Sum": 12, "Maximum": 9},
    )


@behaviour(cloudwatch_api("PutMetricData"))
def statistic_sets(aws: Aws) -> None:
    """Statistic sets of a period are added up."""
    namespace = aws.name()
    for minimum in (1.0, 5.0):
        given = {"SampleCount": 2.0, "Sum": 12.0, "Minimum": minimum, "Maximum": 7.0}
        _put(aws, namespace, {"StatisticValues": given})

    same(
        "gives",
        _statistics(aws, namespace, Statistics=["SampleCount", "Average", "Minimum"]),
        {"SampleCount": 4, "Average": 6, "Minimum": 1},
    )


@behaviour(cloudwatch_guide("cloudwatch_concepts"))
def dimensions_are_the_metric(aws: Aws) -> None:
    """Each combination of dimensions is a separate metric, in any order."""
    namespace = aws.name()
    _put(aws, namespace, {"Value": 1.0}, {"Value": 2.0, "Dimensions": [_SIZE]})
    _put(aws, namespace, *({"Value": 4.0, "Dimensions": each} for each in ([_SIZE, _MILK], [_MILK, _SIZE])))

    same("gives without dimensions", _statistics(aws, namespace, Statistics=["Sum"]), {"Sum": 1})
    same("gives for two", _statistics(aws, namespace, _MILK, _SIZE, Statistics=["Sum"]), {"Sum": 8})


@behaviour(cloudwatch_guide("Statistics-definitions"))
def percentiles(aws: Aws) -> None:
    """A percentile is computed from the values."""
    namespace = aws.name()
    _put(aws, namespace, {"Values": [float(value) for value in range(1, 101)]})

    same("gives", _statistics(aws, namespace, ExtendedStatistics=["p100"]), {"p100": 100})


@behaviour(cloudwatch_api("PutMetricData"))
def the_namespaces_of_aws(aws: Aws) -> None:
    """A namespace that begins with AWS/ is rejected."""
    data = [{"MetricName": "orders", "Value": 1.0}]
    refused("InvalidParameterValue", aws.client("cloudwatch").put_metric_data, Namespace="AWS/X", MetricData=data)


@behaviour(cloudwatch_api("PutMetricData"))
def value_and_values(aws: Aws) -> None:
    """A data point with both Value and Values is rejected."""
    data = [{"MetricName": "orders", "Value": 1.0, "Values": [1.0]}]
    put = aws.client("cloudwatch").put_metric_data
    refused("InvalidParameterCombination", put, Namespace=aws.name(), MetricData=data)


@behaviour(cloudwatch_guide("using-metric-math"))
def metric_math(aws: Aws) -> None:
    """GetMetricData computes an expression over metrics, and returns only what ReturnData asks for."""
    namespace, now = aws.name(), time.time()
    _put(aws, namespace, {"Value": 3.0})
    stat = {"Metric": {"Namespace": namespace, "MetricName": "orders"}, "Period": 3600, "Stat": "Sum"}
    queries = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "e1", "Expression": "IF(m1 > 2, m1 * 10, 0)"},
    ]
    given = {"StartTime": now - 3600, "EndTime": now + 60}
    found = aws.client("cloudwatch").get_metric_data(MetricDataQueries=queries, **given)["MetricDataResults"]

    same("gives", [(each["Id"], [value for value in each["Values"] if value]) for each in found], [("e1", [30])])


@behaviour(cloudwatch_api("ListMetrics"))
def listed_by_dimension(aws: Aws) -> None:
    """ListMetrics with the name of a dimension lists the metrics that have it."""
    namespace = aws.name()
    _put(aws, namespace, {"Value": 1.0}, {"Value": 1.0, "Dimensions": [_SIZE]})
    found = aws.client("cloudwatch").list_metrics(Namespace=namespace, Dimensions=[{"Name": "size"}])["Metrics"]

    same("lists", [each["Dimensions"] for each in found], [[_SIZE]])

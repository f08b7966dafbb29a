"""CloudWatch: alarms, their states and their history."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, refused, same
from fidelity.sources import cloudwatch_api, cloudwatch_guide

GROUP = Group("CloudWatch", "Alarms")
behaviour = GROUP.behaviour
_EVALUATED_WITHIN_S = 40
_HIGH = [{"Name": "size", "Value": "L"}]


def _alarm(aws: Aws, **given: Any) -> str:
    """Create an alarm for more than 0 orders in ten seconds; its name is also its namespace."""
    name = aws.name()
    defaults = {"Namespace": name, "MetricName": "orders", "Statistic": "Sum", "Period": 10, "EvaluationPeriods": 1}
    defaults |= {"Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold"}
    aws.client("cloudwatch").put_metric_alarm(AlarmName=name, **defaults | given)
    return name


def _found(aws: Aws, name: str) -> dict[str, Any]:
    return dict(aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0])


def _evaluated(aws: Aws, name: str) -> str:
    """Wait until the alarm has a state, and return it."""

    def state() -> str:
        found = str(_found(aws, name)["StateValue"])
        return "" if found == "INSUFFICIENT_DATA" else found

    return str(eventually(state, "stays INSUFFICIENT_DATA", _EVALUATED_WITHIN_S))


@behaviour(cloudwatch_guide("alarms-and-missing-data"))
def missing_data_that_breaches(aws: Aws) -> None:
    """An alarm without any data goes off if missing data is breaching."""
    same("is", _evaluated(aws, _alarm(aws, TreatMissingData="breaching")), "ALARM")


@behaviour(cloudwatch_guide("alarms-and-missing-data"))
def missing_data_that_does_not_breach(aws: Aws) -> None:
    """An alarm without any data is OK if missing data is not breaching."""
    same("is", _evaluated(aws, _alarm(aws, TreatMissingData="notBreaching")), "OK")


@behaviour(cloudwatch_guide("cloudwatch_concepts"))
def data_of_other_dimensions(aws: Aws) -> None:
    """An alarm does not go off by a metric of the same name with other dimensions."""
    name = _alarm(aws, Dimensions=_HIGH, TreatMissingData="notBreaching")
    data = [{"MetricName": "orders", "Value": 5.0, "StorageResolution": 1}]
    aws.client("cloudwatch").put_metric_data(Namespace=name, MetricData=data)

    same("is", _evaluated(aws, name), "OK")


@behaviour(cloudwatch_api("SetAlarmState"))
def a_state_in_the_history(aws: Aws) -> None:
    """A state that is set is in the history, with the state before."""
    name, metrics = _alarm(aws, Period=3600), aws.client("cloudwatch")
    metrics.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a trial")
    found = metrics.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]

    same("says", [each["HistorySummary"] for each in found], ["Alarm updated from INSUFFICIENT_DATA to ALARM"])


@behaviour(cloudwatch_api("PutMetricAlarm"))
def an_update_keeps_the_state(aws: Aws) -> None:
    """PutMetricAlarm for an existing alarm keeps its state and replaces everything else."""
    name, metrics = _alarm(aws, Period=3600, AlarmDescription="old"), aws.client("cloudwatch")
    metrics.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a trial")
    given = {"Namespace": name, "MetricName": "orders", "Statistic": "Sum", "Period": 3600, "EvaluationPeriods": 1}
    metrics.put_metric_alarm(AlarmName=name, Threshold=7.0, ComparisonOperator="LessThanThreshold", **given)
    found = _found(aws, name)

    same("is", (found["StateValue"], found["Threshold"], found.get("AlarmDescription", "")), ("OK", 7.0, ""))


@behaviour(cloudwatch_api("PutMetricAlarm"))
def more_datapoints_than_periods(aws: Aws) -> None:
    """DatapointsToAlarm greater than EvaluationPeriods is rejected."""
    refused("ValidationError", lambda: _alarm(aws, DatapointsToAlarm=2))


@behaviour(cloudwatch_api("DescribeAlarmsForMetric"))
def alarms_of_a_metric(aws: Aws) -> None:
    """DescribeAlarmsForMetric returns the alarms on exactly this metric, with its dimensions."""
    name, find = _alarm(aws, Dimensions=_HIGH), aws.client("cloudwatch").describe_alarms_for_metric
    given = {"Namespace": name, "MetricName": "orders"}

    same("returns without dimensions", find(**given)["MetricAlarms"], [])
    same("returns", [each["AlarmName"] for each in find(**given, Dimensions=_HIGH)["MetricAlarms"]], [name])

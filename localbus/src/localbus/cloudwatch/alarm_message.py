"""The message that an alarm publishes to a topic when its state changes.

AWS shows its form in examples only, such as
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import botocore

from localbus.cloudwatch.alarm import Alarm, iso_time
from localbus.protocol.service_model import Params

_MAX_SUBJECT: Final = 100  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html


def message_of(alarm: Alarm, before: str) -> Params:
    """Return Publish's input, without the topic, for an alarm that had this state before."""
    region = _region_name(alarm.region)
    subject = f'{alarm.state}: "{alarm.name}" in {region}'
    return {"Subject": subject[:_MAX_SUBJECT], "Message": json.dumps(_document(alarm, before, region))}


def _document(alarm: Alarm, before: str, region: str) -> dict[str, Any]:
    given = alarm.given
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": given.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": iso_time(alarm.updated_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": iso_time(alarm.state_at),
        "Region": region,
        "AlarmArn": alarm.arn,
        "OldStateValue": before,
        "OKActions": given.get("OKActions", []),
        "AlarmActions": given.get("AlarmActions", []),
        "InsufficientDataActions": given.get("InsufficientDataActions", []),
        "Trigger": _trigger(given),
    }


def _trigger(given: Params) -> dict[str, Any]:
    periods = given["EvaluationPeriods"]
    decides = {
        "Period": given.get("Period"),
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": given.get("DatapointsToAlarm", periods),
        "ComparisonOperator": given["ComparisonOperator"],
        "Threshold": given["Threshold"],
        "TreatMissingData": given.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": given.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in given:
        del decides["Period"]
        return {**decides, "Metrics": [_query(query) for query in given["Metrics"]]}
    simple = "Statistic" in given
    return {
        "MetricName": given["MetricName"],
        "Namespace": given["Namespace"],
        "StatisticType": "Statistic" if simple else "ExtendedStatistic",
        "Statistic" if simple else "ExtendedStatistic": given["Statistic"].upper()
        if simple
        else given["ExtendedStatistic"],
        "Unit": given.get("Unit"),
        "Dimensions": _dimensions(given),
        **decides,
    }


def _query(query: Params) -> dict[str, Any]:
    found: dict[str, Any] = {key: query[key] for key in ("Id", "Expression", "Label") if key in query}
    stat = query.get("MetricStat")
    if stat is not None:
        metric = stat["Metric"]
        named = {
            "Dimensions": _dimensions(metric),
            "MetricName": metric["MetricName"],
            "Namespace": metric["Namespace"],
        }
        found["MetricStat"] = {"Metric": named, "Period": stat["Period"], "Stat": stat["Stat"]}
    return found | {"ReturnData": query.get("ReturnData", True)}


def _dimensions(given: Params) -> list[dict[str, str]]:
    return [{"value": one["Value"], "name": one["Name"]} for one in given.get("Dimensions", ())]


@cache
def _region_name(region: str) -> str:
    """Return the name of a region, such as US East (N. Virginia); an unknown one as it is."""
    document = json.loads(Path(botocore.__path__[0], "data", "partitions.json").read_bytes())
    for partition in document["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region].get("description", region))
    return region

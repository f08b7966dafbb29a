"""The actions of alarms.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import json
from typing import Final

from localbus.cloudwatch.alarm import Alarm, HistoryItem, moment
from localbus.cloudwatch.alarm_evaluation import COMPARISONS
from localbus.cloudwatch.errors import bad_combination, invalid, missing
from localbus.cloudwatch.metric_query import Owner, check_period, check_queries, metric_of
from localbus.cloudwatch.state import CloudWatch
from localbus.cloudwatch.statistics import check_statistic
from localbus.errors import AwsError, not_implemented
from localbus.protocol.pagination import list_page, paginate
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

DAY_S: Final = 86_400
_TREATMENTS: Final = ("breaching", "notBreaching", "ignore", "missing")
_ACTION_LISTS: Final = ("OKActions", "AlarmActions", "InsufficientDataActions")
_SINGLE: Final = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
_NOT_BUILT: Final = (
    "ThresholdMetricId",
    "EvaluationCriteria",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationInterval",
)
_MOST_METRICS: Final = 10


def put_metric_alarm(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """PutMetricAlarm."""
    given = {name: value for name, value in params.items() if name != "Tags"}
    for name in _NOT_BUILT:
        if name in given:
            raise not_implemented("cloudwatch", f"PutMetricAlarm with {name}")
    _check_decision(given)
    (_check_queries if "Metrics" in given else _check_metric)(given)
    for action in (one for name in _ACTION_LISTS for one in given.get(name, ())):
        _check_action(action, caller)
    cloudwatch.alarms.put(given, {one["Key"]: one["Value"] for one in params.get("Tags", ())}, caller)
    cloudwatch.schedule()
    return {}


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


def _check_action(action: str, caller: Caller) -> None:
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


def describe_alarms(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """DescribeAlarms."""
    if "AlarmNames" in params and "AlarmNamePrefix" in params:
        raise bad_combination("AlarmNames and AlarmNamePrefix exclude each other.")
    if "MetricAlarm" not in params.get("AlarmTypes", ["MetricAlarm"]):
        return {"MetricAlarms": [], "CompositeAlarms": []}
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
    state, action = params.get("StateValue"), params.get("ActionPrefix", "")
    found = [
        alarm
        for alarm in cloudwatch.alarms.of(caller)
        if (names is None or alarm.name in names)
        and alarm.name.startswith(prefix)
        and state in {None, alarm.state}
        and (not action or any(one.startswith(action) for kind in _ACTION_LISTS for one in alarm.given.get(kind, ())))
    ]
    page = {"NextToken": params.get("NextToken"), "Limit": params.get("MaxRecords", 50)}
    return list_page("MetricAlarms", found, page, key=lambda alarm: alarm.name, show=Alarm.shown) | {
        "CompositeAlarms": []
    }


def describe_alarms_for_metric(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """DescribeAlarmsForMetric: the alarms on exactly this metric, not those with it in an expression."""
    owner = Owner(caller.account, caller.region)
    wanted = metric_of(params, owner)
    selects = [name for name in ("Statistic", "ExtendedStatistic", "Period", "Unit") if name in params]
    found = [
        alarm.shown()
        for alarm in cloudwatch.alarms.of(caller)
        if "Metrics" not in alarm.given
        and metric_of(alarm.given, owner) == wanted
        and all(alarm.given.get(name) == params[name] for name in selects)
    ]
    return {"MetricAlarms": found}


def describe_alarm_history(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """DescribeAlarmHistory, newest first unless ScanBy says otherwise."""
    name, kind = params.get("AlarmName"), params.get("HistoryItemType")
    start, end = params.get("StartDate"), params.get("EndDate")
    found = [
        (alarm, item)
        for alarm in cloudwatch.alarms.of(caller)
        for item in alarm.history
        if name in {None, alarm.name}
        and kind in {None, item.kind}
        and (start is None or item.at >= start.timestamp())
        and (end is None or item.at <= end.timestamp())
    ]
    newest_first = params.get("ScanBy") != "TimestampAscending"
    found.sort(key=lambda one: one[1].at)
    if newest_first:
        found.reverse()
    page, token = paginate(found, params.get("NextToken"), limit=params.get("MaxRecords", 100))
    items = [_history(alarm, item) for alarm, item in page]
    return {"AlarmHistoryItems": items} | ({"NextToken": token} if token else {})


def _history(alarm: Alarm, item: HistoryItem) -> Params:
    return {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": moment(item.at),
        "HistoryItemType": item.kind,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }


def delete_alarms(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """DeleteAlarms. One that does not exist is ignored."""
    for name in params["AlarmNames"]:
        alarm = cloudwatch.alarms.find(name, caller)
        if alarm is not None:
            cloudwatch.alarms.delete(alarm)
    return {}


def set_alarm_state(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """SetAlarmState, until the next evaluation."""
    alarm = cloudwatch.alarms.find(params["AlarmName"], caller)
    if alarm is None:
        raise AwsError("ResourceNotFound", f"No alarm has the name {params['AlarmName']}.")
    data = params.get("StateReasonData", "")
    try:
        json.loads(data or "{}")
    except ValueError as exc:
        raise AwsError("InvalidFormatFault", "StateReasonData must be JSON.") from exc
    cloudwatch.set_alarm_state(alarm, params["StateValue"], params["StateReason"], data)
    return {}


def enable_alarm_actions(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """EnableAlarmActions."""
    return _set_actions_enabled(cloudwatch, params, caller, enabled=True)


def disable_alarm_actions(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """DisableAlarmActions."""
    return _set_actions_enabled(cloudwatch, params, caller, enabled=False)


def _set_actions_enabled(cloudwatch: CloudWatch, params: Params, caller: Caller, *, enabled: bool) -> Params:
    for name in params["AlarmNames"]:
        alarm = cloudwatch.alarms.find(name, caller)
        if alarm is not None:
            alarm.given = {**alarm.given, "ActionsEnabled": enabled}
            cloudwatch.alarms.save(alarm)
    return {}


def tag_resource(cloudwatch: CloudWatch, params: Params, _caller: Caller) -> Params:
    """TagResource."""
    alarm = _tagged(cloudwatch, params)
    alarm.tags |= {one["Key"]: one["Value"] for one in params["Tags"]}
    cloudwatch.alarms.save(alarm)
    return {}


def untag_resource(cloudwatch: CloudWatch, params: Params, _caller: Caller) -> Params:
    """UntagResource."""
    alarm = _tagged(cloudwatch, params)
    for key in params["TagKeys"]:
        alarm.tags.pop(key, None)
    cloudwatch.alarms.save(alarm)
    return {}


def list_tags_for_resource(cloudwatch: CloudWatch, params: Params, _caller: Caller) -> Params:
    """ListTagsForResource."""
    tags = _tagged(cloudwatch, params).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tagged(cloudwatch: CloudWatch, params: Params) -> Alarm:
    alarm = cloudwatch.alarms.by_arn(params["ResourceARN"])
    if alarm is None:
        members = {"ResourceType": "AWS::CloudWatch::Alarm", "ResourceId": params["ResourceARN"]}
        raise AwsError("ResourceNotFoundException", f"{params['ResourceARN']} does not exist.", members=members)
    return alarm

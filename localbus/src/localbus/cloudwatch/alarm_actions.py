"""The actions of alarms.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import json
from typing import Final

from localbus.cloudwatch.alarm import Alarm, HistoryItem, moment
from localbus.cloudwatch.alarm_checks import check_action, check_definition
from localbus.cloudwatch.errors import bad_combination
from localbus.cloudwatch.metric_query import Owner, metric_of
from localbus.cloudwatch.state import CloudWatch
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page, paginate
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_ACTION_LISTS: Final = ("OKActions", "AlarmActions", "InsufficientDataActions")


def put_metric_alarm(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """PutMetricAlarm."""
    given = {name: value for name, value in params.items() if name != "Tags"}
    check_definition(given)
    for action in (one for name in _ACTION_LISTS for one in given.get(name, ())):
        check_action(action, caller)
    cloudwatch.alarms.put(given, {one["Key"]: one["Value"] for one in params.get("Tags", ())}, caller)
    cloudwatch.schedule()
    return {}


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

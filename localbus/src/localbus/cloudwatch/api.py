"""CloudWatch as a service: its actions and error codes."""

from __future__ import annotations

from functools import partial

from localbus.cloudwatch import alarm_actions, dashboard_actions, metric_actions
from localbus.cloudwatch.state import CloudWatch
from localbus.protocol.service import Service

ACTIONS = {
    "DeleteAlarms": alarm_actions.delete_alarms,
    "DeleteDashboards": dashboard_actions.delete_dashboards,
    "DescribeAlarmHistory": alarm_actions.describe_alarm_history,
    "DescribeAlarms": alarm_actions.describe_alarms,
    "DescribeAlarmsForMetric": alarm_actions.describe_alarms_for_metric,
    "DisableAlarmActions": alarm_actions.disable_alarm_actions,
    "EnableAlarmActions": alarm_actions.enable_alarm_actions,
    "GetDashboard": dashboard_actions.get_dashboard,
    "GetMetricData": metric_actions.get_metric_data,
    "GetMetricStatistics": metric_actions.get_metric_statistics,
    "ListDashboards": dashboard_actions.list_dashboards,
    "ListMetrics": metric_actions.list_metrics,
    "ListTagsForResource": alarm_actions.list_tags_for_resource,
    "PutDashboard": dashboard_actions.put_dashboard,
    "PutMetricAlarm": alarm_actions.put_metric_alarm,
    "PutMetricData": metric_actions.put_metric_data,
    "SetAlarmState": alarm_actions.set_alarm_state,
    "TagResource": alarm_actions.tag_resource,
    "UntagResource": alarm_actions.untag_resource,
}


def service(cloudwatch: CloudWatch) -> Service:
    """Return CloudWatch for the router."""
    return Service(
        cloudwatch.api,
        {name: partial(action, cloudwatch) for name, action in ACTIONS.items()},
        "1.0",
        error_namespace="com.amazonaws.cloudwatch.v2010_08_01#",
        invalid_token=("InvalidNextToken", "The next token is not valid."),
    )

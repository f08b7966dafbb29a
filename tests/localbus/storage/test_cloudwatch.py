"""CloudWatch over a restart: alarms with their states and history, dashboards and data points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from localbus.clock import FIXED_START
from localbus.engine import Options
from localbus.pytest_plugin import Localbus


def alarm(bus: Localbus) -> dict[str, Any]:
    """Return the only alarm, with its tags and history."""
    cloudwatch = bus.client("cloudwatch")
    found = dict(cloudwatch.describe_alarms()["MetricAlarms"][0])
    found["tags"] = cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    found["history"] = cloudwatch.describe_alarm_history()["AlarmHistoryItems"]
    return found


def test_a_restart(tmp_path: Path) -> None:
    """Everything is as it was, and the alarm goes on with the data points from before the restart."""
    bus = Localbus(Options(data=tmp_path), start=FIXED_START).start()
    cloudwatch = bus.client("cloudwatch")
    metric = {"Namespace": "shop", "MetricName": "orders"}
    cloudwatch.put_metric_alarm(
        AlarmName="orders",
        **metric,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=3,
        Threshold=9,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "team", "Value": "bar"}],
    )
    cloudwatch.put_dashboard(DashboardName="bar", DashboardBody="{}")
    for _ in range(2):
        cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "orders", "Values": [10.0, 3.0]}])
        bus.advance(60)
    before = alarm(bus)
    bus.stop()

    again = Localbus(Options(data=tmp_path), start=FIXED_START).start()
    restored, cloudwatch = alarm(again), again.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "orders", "Value": 10}])
    again.advance(60)
    after, dashboards = alarm(again)["StateValue"], cloudwatch.list_dashboards()["DashboardEntries"]
    again.stop()

    assert restored == before
    assert (before["StateValue"], after) == ("INSUFFICIENT_DATA", "ALARM")
    assert [each["DashboardName"] for each in dashboards] == ["bar"]


def test_a_name_that_cannot_be_stored(tmp_path: Path) -> None:
    """An alarm's name with half of a surrogate pair, which only JSON can write, is refused before the storage fails."""
    bus = Localbus(Options(data=tmp_path), start=FIXED_START).start()
    alarm = b'"MetricName": "orders", "Namespace": "shop", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1'
    alarm += b', "Threshold": 1, "ComparisonOperator": "LessThanThreshold"}'
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.PutMetricAlarm"}

    refused, accepted = (
        httpx.post(bus.url, headers=target, content=b'{"AlarmName": "%s", ' % name + alarm)
        for name in (b"\\ud800", b"orders")
    )
    bus.stop()

    assert (refused.status_code, "surrogate" in refused.text, accepted.status_code) == (400, True, 200)

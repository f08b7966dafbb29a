"""Minutes that a busy event loop begins late: their metrics are read, and their alarms evaluated, all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from localbus.clock import FIXED_START, ManualClock, TimerHandle
from localbus.cloudwatch.alarm_actions import put_metric_alarm
from localbus.cloudwatch.metric_actions import put_metric_data
from localbus.cloudwatch.state import CloudWatch
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.storage.storage import Storage

CALLER = Caller("000000000000", "us-east-1")


class LateClock(ManualClock):
    """A manual clock whose timers all run `late_s` after their time."""

    late_s = 0.0

    def call_at(self, when: float, callback: Callable[[], None]) -> TimerHandle:
        """Schedule a call for a later time than asked."""
        return super().call_at(when + self.late_s, callback)


@pytest.mark.parametrize(("period_s", "late_s"), [(60, 0.0), (60, 2.5), (60, 12.5), (10, 2.5)])
def test_an_alarm_is_evaluated_late(period_s: int, late_s: float) -> None:
    """An alarm sees the periods that ended with the minute, or with its ten seconds, however late its turn comes."""
    clock = LateClock(FIXED_START)
    clock.late_s = late_s
    ignored: Any = lambda *_: None  # noqa: E731
    cloudwatch = CloudWatch(clock, Journal(), Storage(), publish_to_topic=ignored, publish_event=ignored)
    cloudwatch.restore()
    alarm = {
        "AlarmName": "orders",
        "Namespace": "shop",
        "MetricName": "orders",
        "Statistic": "Sum",
        "Period": period_s,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    put_metric_alarm(cloudwatch, alarm, CALLER)
    datum = {"MetricName": "orders", "Value": 3.0, "StorageResolution": 1}
    put_metric_data(cloudwatch, {"Namespace": "shop", "MetricData": [datum]}, CALLER)

    clock.advance(period_s + late_s)

    assert [alarm.state for alarm in cloudwatch.alarms] == ["ALARM"]

"""The event of a change of an alarm, on the default bus.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from localbus.cloudwatch.alarm import Alarm, iso_time
from localbus.events.bus import DEFAULT_BUS
from localbus.events.event import Event, envelope
from localbus.events.state import EventBridge
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


class AlarmState(NamedTuple):
    """A state of an alarm, with its reason, the reason's data and the time of the change."""

    value: str
    reason: str
    data: str
    at: float

    def document(self) -> dict[str, Any]:
        """Return the state as the event has it."""
        found = {"value": self.value, "reason": self.reason, "timestamp": iso_time(self.at)}
        return found | ({"reasonData": self.data} if self.data else {})


PublishEvent = Callable[[Alarm, AlarmState], None]


def publisher(events: EventBridge) -> PublishEvent:
    """Return the function that publishes the change of an alarm from a state to its present one."""

    def publish(alarm: Alarm, before: AlarmState) -> None:
        bus = events.buses.look_up(DEFAULT_BUS, Caller(alarm.account, alarm.region))
        if bus is None or not bus.rules:
            return
        now = events.clock.now()
        kind, owner = "CloudWatch Alarm State Change", {"account": alarm.account, "region": alarm.region}
        document = envelope("aws.cloudwatch", kind, _detail(alarm, before), **owner, time=now)
        events.publish(Event(document | {"resources": [alarm.arn]}, now), bus)

    return publish


def _detail(alarm: Alarm, before: AlarmState) -> dict[str, Any]:
    configuration: dict[str, Any] = {"metrics": [_query(query) for query in alarm.queries]}
    if "AlarmDescription" in alarm.given:
        configuration["description"] = alarm.given["AlarmDescription"]
    state = AlarmState(alarm.state, alarm.reason, alarm.reason_data, alarm.state_at)
    parts = {"state": state.document(), "previousState": before.document(), "configuration": configuration}
    return {"alarmName": alarm.name, **parts}


def _query(query: Params) -> dict[str, Any]:
    found: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    found |= {name.lower(): query[name] for name in ("Expression", "Label") if name in query}
    stat = query.get("MetricStat")
    if stat is not None:
        metric = stat["Metric"]
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
        named = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
        found["metricStat"] = {"metric": named, "period": stat["Period"], "stat": stat["Stat"]}
    return found

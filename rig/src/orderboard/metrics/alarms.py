"""The stack's alarms, and what they have done."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from orderboard.errors import UsageError
from orderboard.system.target import Target

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import AlarmHistoryItemTypeDef, MetricAlarmTypeDef

_ORDER: Final = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True)
class Alarm:
    """An alarm: its state, since when, and CloudWatch's reason."""

    name: str
    state: str
    since: datetime
    reason: str
    description: str
    actions_enabled: bool

    def document(self) -> dict[str, object]:
        """The alarm as JSON."""
        return asdict(self) | {"since": self.since.isoformat()}


@dataclass(frozen=True)
class Change:
    """An entry of the history: a change of the state or the definition, or an action."""

    at: datetime
    alarm: str
    kind: str
    summary: str

    def document(self) -> dict[str, object]:
        """The entry as JSON."""
        return asdict(self) | {"at": self.at.isoformat()}


def read_alarms(target: Target, name: str | None = None) -> list[Alarm]:
    """Return the alarms of the stack, those that went off first; or one, named with or without the stack's prefix.

    Raises UsageError for a name that no alarm has.
    """
    prefix = f"{target.outputs.bus_name}-"
    pages = target.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    found = [_alarm(each) for page in pages for each in page["MetricAlarms"]]
    found.sort(key=lambda each: (_ORDER.index(each.state), each.name))
    if name is None:
        return found
    chosen = [each for each in found if each.name in (name, prefix + name)]
    if not chosen:
        names = ", ".join(sorted(each.name.removeprefix(prefix) for each in found)) or "none"
        raise UsageError(f"No alarm has the name {name}. The stack has: {names}.")
    return chosen


def _alarm(each: "MetricAlarmTypeDef") -> Alarm:
    return Alarm(
        name=each["AlarmName"],
        state=each["StateValue"],
        since=each.get("StateTransitionedTimestamp", each["StateUpdatedTimestamp"]).astimezone(UTC),
        reason=each.get("StateReason", ""),
        description=each.get("AlarmDescription", ""),
        actions_enabled=each.get("ActionsEnabled", True),
    )


def read_history(target: Target, alarms: list[Alarm], *, last: int) -> list[Change]:
    """Return the last entries of the history of these alarms, oldest first."""
    found = [change for alarm in alarms for change in _history(target, alarm.name, last)]
    return sorted(found, key=lambda each: each.at)[-last:]


def _history(target: Target, name: str, last: int) -> Iterator[Change]:
    answer = target.cloudwatch.describe_alarm_history(AlarmName=name, MaxRecords=min(last, 100))
    for each in reversed(answer["AlarmHistoryItems"]):  # newest first, and several in one second
        yield _change(each)


def _change(each: "AlarmHistoryItemTypeDef") -> Change:
    at = each["Timestamp"].astimezone(UTC)
    return Change(at, each["AlarmName"], each["HistoryItemType"], each["HistorySummary"])

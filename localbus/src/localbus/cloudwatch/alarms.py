"""The alarms of every account and region, and the changes of their states."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from localbus.clock import Clock
from localbus.cloudwatch.alarm import Alarm, iso_time
from localbus.cloudwatch.alarm_evaluation import Verdict
from localbus.cloudwatch.alarm_event import AlarmState, PublishEvent
from localbus.errors import AwsError
from localbus.journal import Journal, Loss
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.storage import Storage

_ALARM: Final = "cloudwatch.alarm"  # the kind of its record, by ARN
_KEPT: Final = "An alarm publishes to topics of its region whose policy allows cloudwatch.amazonaws.com"

Execute = Callable[[Alarm, str, str], str]  # the alarm, its state before, an action: the data of the history


class Alarms:
    """All alarms. `execute` executes an action, and raises AwsError; `publish` publishes the event of a change."""

    def __init__(
        self, clock: Clock, journal: Journal, storage: Storage, execute: Execute, publish: PublishEvent
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._storage = storage
        self._execute = execute
        self._publish = publish
        self._by_arn: dict[str, Alarm] = {}

    def __iter__(self) -> Iterator[Alarm]:
        return iter(list(self._by_arn.values()))

    def __len__(self) -> int:
        return len(self._by_arn)

    def restore(self) -> None:
        """Read all alarms from the storage, when the engine starts."""
        for _, arn, document in self._storage.records(_ALARM):
            _, _, _, region, account, _, _ = arn.split(":", 6)
            self._by_arn[arn] = Alarm.restored(account, region, document)

    def of(self, caller: Caller) -> list[Alarm]:
        """Return the caller's alarms, by name."""
        found = [one for one in self if (one.account, one.region) == (caller.account, caller.region)]
        return sorted(found, key=lambda one: one.name)

    def by_arn(self, arn: str) -> Alarm | None:
        """Return the alarm of that ARN."""
        return self._by_arn.get(arn)

    def find(self, name: str, caller: Caller) -> Alarm | None:
        """Return the caller's alarm of that name."""
        return self._by_arn.get(f"arn:aws:cloudwatch:{caller.region}:{caller.account}:alarm:{name}")

    def put(self, given: Params, tags: Mapping[str, str], caller: Caller) -> None:
        """Create an alarm, or give an existing one another definition. That keeps its state, tags and history."""
        now, existing = self._clock.now(), self.find(given["AlarmName"], caller)
        if existing is None:
            alarm = Alarm(caller.account, caller.region, given, now, state_at=now, transitioned_at=now, tags=dict(tags))
            self._by_arn[alarm.arn] = alarm
        else:
            alarm = existing
            alarm.given, alarm.updated_at = given, now
        verb, kind = ("created", "Create") if existing is None else ("updated", "Update")
        alarm.add_history(now, "ConfigurationUpdate", f'Alarm "{alarm.name}" {verb}', {"version": "1.0", "type": kind})
        self.save(alarm)

    def delete(self, alarm: Alarm) -> None:
        """Delete an alarm."""
        del self._by_arn[alarm.arn]
        self._storage.delete(_ALARM, alarm.arn)

    def save(self, alarm: Alarm) -> None:
        """Store what has changed of an alarm."""
        self._storage.save(_ALARM, alarm.arn, alarm.document)

    def set_state(self, alarm: Alarm, verdict: Verdict, reason_data: str) -> None:
        """Give an alarm a state with its reason. A change is noted, and executes the actions."""
        before = AlarmState(alarm.state, alarm.reason, alarm.reason_data, alarm.state_at)
        now = self._clock.now()
        alarm.state, alarm.reason, alarm.reason_data, alarm.state_at = *verdict[:2], reason_data, now
        if before.value != verdict.state:
            alarm.transitioned_at = now
            data = {"version": "1.0", "oldState": _state(*before[:3]), "newState": _state(*verdict[:2], reason_data)}
            alarm.add_history(now, "StateUpdate", f"Alarm updated from {before.value} to {verdict.state}", data)
            detail = {"state": alarm.state, "before": before.value, "reason": alarm.reason}
            self._journal.note("alarm", alarm.arn, alarm.name, now, detail)
            for action in alarm.actions(alarm.state) if alarm.actions_enabled else ():
                self._act(alarm, before.value, action)
            self._publish(alarm, before)
        self.save(alarm)

    def _act(self, alarm: Alarm, before: str, action: str) -> None:
        """Execute an action. As on AWS a failure is in the history, and nothing is tried again."""
        now, document = self._clock.now(), {"actionState": "Succeeded", "notificationResource": action}
        try:
            document["publishedMessage"] = self._execute(alarm, before, action)
            summary = f"Successfully executed action {action}"
        except AwsError as exc:
            summary = f"Failed to execute action {action}. Received error: {exc.message}"
            document |= {"actionState": "Failed", "error": exc.message}
            self._journal.note("undelivered", alarm.arn, alarm.name, now, exc.message)
            self._journal.on_loss(Loss("undelivered", alarm.name, alarm.arn, action, exc.code, exc.message, _KEPT))
        alarm.add_history(now, "Action", summary, {**document, "stateUpdateTimestamp": int(alarm.state_at * 1000)})


def _state(value: str, reason: str, data: str) -> dict[str, Any]:
    found: dict[str, Any] = {"stateValue": value, "stateReason": reason}
    return found | ({"stateReasonData": json.loads(data)} if data else {})


def reason_data(alarm: Alarm, verdict: Verdict, now: float) -> str:
    """Return the data of an evaluation as JSON."""
    document: dict[str, Any] = {"version": "1.0", "queryDate": iso_time(now)}
    if verdict.data:
        document["startDate"] = iso_time(verdict.data[-1].at)
    if "Metrics" not in alarm.given:
        document["statistic"] = alarm.statistic
    document |= {"period": alarm.period_s, "recentDatapoints": [one.value for one in reversed(verdict.data)]}
    document |= {"threshold": alarm.rule.threshold}
    points = [{"timestamp": iso_time(one.at), "value": one.value} for one in verdict.data]
    return json.dumps(document | ({"evaluatedDatapoints": points} if points else {}))

"""The inbox queue: the alerts of one order, and the messages of CloudWatch's alarms."""

import json

from orderboard_contracts.alert import Alert, NotAnAlert, parse_alert
from support.stack import DeployedStack


class Inbox:
    """Takes alerts from the queue and keeps them, so that tests that share a stack do not take each other's."""

    def __init__(self, stack: DeployedStack) -> None:
        self._stack = stack
        self._alerts: list[Alert] = []
        self._alarms: list[tuple[str, str]] = []

    def of(self, order_id: str) -> list[Alert]:
        """All alerts of an order so far, each as often as it came."""
        self._take()
        return [alert for alert in self._alerts if alert.order_id == order_id]

    def alarms(self) -> list[tuple[str, str]]:
        """The changes of alarms so far: name and new state."""
        self._take()
        return list(self._alarms)

    def _take(self) -> None:
        while messages := self._stack.receive(self._stack.outputs.inbox_queue):
            for message in messages:
                try:
                    self._alerts.append(parse_alert(message["Body"]))
                except NotAnAlert:
                    document = json.loads(message["Body"])
                    self._alarms.append((document["AlarmName"], document["NewStateValue"]))

    def kinds(self, order_id: str) -> list[str]:
        """The kinds of an order's alerts so far, sorted."""
        return sorted(alert.kind for alert in self.of(order_id))

"""The inbox queue: the alerts of one order."""

from orderboard_contracts.alert import Alert, parse_alert
from support.stack import DeployedStack


class Inbox:
    """Takes alerts from the queue and keeps them, so that tests that share a stack do not take each other's."""

    def __init__(self, stack: DeployedStack) -> None:
        self._stack = stack
        self._alerts: list[Alert] = []

    def of(self, order_id: str) -> list[Alert]:
        """All alerts of an order so far, each as often as it came."""
        while messages := self._stack.receive(self._stack.outputs.inbox_queue):
            self._alerts += [parse_alert(message["Body"]) for message in messages]
        return [alert for alert in self._alerts if alert.order_id == order_id]

    def kinds(self, order_id: str) -> list[str]:
        """The kinds of an order's alerts so far, sorted."""
        return sorted(alert.kind for alert in self.of(order_id))

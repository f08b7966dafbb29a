"""The dashboards of every account, which all regions share.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from localbus.clock import Clock
from localbus.protocol.service import Caller
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

_DASHBOARD: Final = "cloudwatch.dashboard"  # the kind of its record, by name, owned by the account


@dataclass
class Dashboard:
    """A dashboard. `body` is its JSON text."""

    account: str
    name: str
    body: str
    modified_at: float

    @property
    def arn(self) -> str:
        """The ARN, which has no region."""
        return f"arn:aws:cloudwatch::{self.account}:dashboard/{self.name}"

    def document(self) -> Document:
        """Return the dashboard for the storage."""
        return {"body": self.body, "modified_at": self.modified_at}


class Dashboards:
    """All dashboards."""

    def __init__(self, clock: Clock, storage: Storage) -> None:
        self._clock = clock
        self._storage = storage
        self._by_name: dict[tuple[str, str], Dashboard] = {}

    def restore(self) -> None:
        """Read all dashboards from the storage, when the engine starts."""
        for account, name, document in self._storage.records(_DASHBOARD):
            self._by_name[account, name] = Dashboard(account, name, **document)

    def of(self, caller: Caller) -> list[Dashboard]:
        """Return the caller's dashboards, by name."""
        found = [one for one in self._by_name.values() if one.account == caller.account]
        return sorted(found, key=lambda one: one.name)

    def find(self, name: str, caller: Caller) -> Dashboard | None:
        """Return the caller's dashboard of that name."""
        return self._by_name.get((caller.account, name))

    def put(self, name: str, body: str, caller: Caller) -> None:
        """Create a dashboard, or replace its body."""
        dashboard = Dashboard(caller.account, name, body, self._clock.now())
        self._by_name[caller.account, name] = dashboard
        self._storage.save(_DASHBOARD, name, dashboard.document, caller.account)

    def delete(self, dashboard: Dashboard) -> None:
        """Delete a dashboard."""
        del self._by_name[dashboard.account, dashboard.name]
        self._storage.delete(_DASHBOARD, dashboard.name, dashboard.account)

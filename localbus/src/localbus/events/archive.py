"""Archives, which keep the events of a bus; `replay` brings them back.

An archive is fed by a rule of its own on the bus, one that EventBridge manages and that takes no replayed events.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern
from localbus.events.archive_store import KeptEvents
from localbus.events.bus import Bus, Rule, Target
from localbus.events.event import Event, compact
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MANAGED_BY = "prod.vhs.events.aws.internal"
RULE_PREFIX = "Events-Archive-"
_DAY_S = 86_400


@dataclass(eq=False)
class Archive:
    """The kept events of one bus, those of its pattern."""

    name: str
    arn: str
    bus: Bus
    created_at: float
    description: str | None = None
    pattern: str | None = None
    retention_days: int = 0
    events: KeptEvents = field(default_factory=KeptEvents)

    def settle(self, now: float) -> None:
        """Forget what has been kept long enough."""
        if self.retention_days:
            self.events.forget_until(now - self.retention_days * _DAY_S)

    @property
    def rule_pattern(self) -> str:
        """The pattern of the rule that feeds the archive."""
        document = json.loads(self.pattern) if self.pattern else {}
        return compact({**document, "replay-name": [{"exists": False}]})

    def listed(self) -> Params:
        """The archive in a list."""
        return {
            "ArchiveName": self.name,
            "EventSourceArn": self.bus.arn,
            "State": "ENABLED",
            "RetentionDays": self.retention_days,
            "SizeBytes": self.events.size_bytes,
            "EventCount": len(self.events),
            "CreationTime": self.created_at,
        }

    def described(self) -> Params:
        """The whole archive."""
        given = {"Description": self.description, "EventPattern": self.pattern}
        return self.listed() | {"ArchiveArn": self.arn} | {name: value for name, value in given.items() if value}


class Archives:
    """The archives of every account and region."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._archives: dict[tuple[str, str, str], Archive] = {}

    def create(self, given: Params, bus: Bus, caller: Caller) -> Archive:
        """Make an archive of a bus, with the rule that feeds it."""
        name = given["ArchiveName"]
        key = (caller.account, caller.region, name)
        if key in self._archives:
            raise AwsError("ResourceAlreadyExistsException", f"Archive {name} already exists.")
        arn = f"arn:aws:events:{caller.region}:{caller.account}:archive/{name}"
        archive = Archive(name, arn, bus, self._clock.now())
        self._change(archive, given)
        self._archives[key] = archive
        return archive

    def update(self, given: Params, caller: Caller) -> Archive:
        """Change what an archive keeps from now on."""
        archive = self.find(given["ArchiveName"], caller)
        self._change(archive, given)
        return archive

    def _change(self, archive: Archive, given: Params) -> None:
        if given.get("EventPattern"):
            EventPattern(given["EventPattern"])
            archive.pattern = given["EventPattern"]
        archive.description = given.get("Description", archive.description)
        archive.retention_days = given.get("RetentionDays", archive.retention_days)
        name = f"{RULE_PREFIX}{archive.name}"
        bus = archive.bus
        rule = bus.rules.get(name) or Rule(name, bus.rule_arn(name), bus, managed_by=MANAGED_BY)
        rule.pattern = EventPattern(archive.rule_pattern)
        sink = f"arn:aws:events:{bus.region}:::"
        rule.targets = {name: Target(name, sink, {"Id": name, "Arn": sink}, lambda event, _rule_arn: event.text)}
        bus.rules[name] = rule
        bus.reindex(rule)

    def delete(self, name: str, caller: Caller) -> None:
        """Take an archive away, with its events and its rule."""
        archive = self.find(name, caller)
        del self._archives[(caller.account, caller.region, name)]
        rule = archive.bus.rules.pop(f"{RULE_PREFIX}{name}", None)
        if rule is not None:
            archive.bus.reindex(rule)

    def find(self, name: str, caller: Caller) -> Archive:
        """The archive of that name; raises ResourceNotFoundException."""
        archive = self._archives.get((caller.account, caller.region, name))
        if archive is None:
            raise AwsError("ResourceNotFoundException", f"Archive {name} does not exist.")
        archive.settle(self._clock.now())
        return archive

    def of(self, caller: Caller) -> list[Archive]:
        """The caller's archives by name."""
        names = sorted(name for *scope, name in self._archives if tuple(scope) == (caller.account, caller.region))
        return [self.find(name, caller) for name in names]

    def keep(self, event: Event, rule: Rule) -> None:
        """Put an event that an archive's rule matched into the archive."""
        key = (rule.bus.account, rule.bus.region, rule.name.removeprefix(RULE_PREFIX))
        archive = self._archives.get(key)
        if archive is not None:
            archive.settle(self._clock.now())
            archive.events.append(event)

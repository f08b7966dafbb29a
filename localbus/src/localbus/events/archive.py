"""Archives of the events of a bus. `replay` publishes them again.

A managed rule on the bus feeds the archive; it does not match replayed events.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from localbus.event_pattern.pattern import EventPattern
from localbus.events.archive_store import ArchiveStore
from localbus.events.bus import Bus, Rule, Target
from localbus.events.event import Event, compact
from localbus.events.registry import Registry
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MANAGED_BY = "prod.vhs.events.aws.internal"
RULE_PREFIX = "Events-Archive-"
_DAY_S = 86_400


@dataclass(eq=False)
class Archive:
    """An archive of the events of one bus that match its pattern."""

    name: str
    arn: str
    bus: Bus
    created_at: float
    description: str | None = None
    pattern: str | None = None
    kms_key: str | None = None
    retention_days: int = 0  # 0 retains events forever
    events: ArchiveStore = field(default_factory=ArchiveStore)

    def expire(self, now: float) -> None:
        """Delete the events whose retention period has passed."""
        if self.retention_days:
            self.events.expire_until(now - self.retention_days * _DAY_S)

    @property
    def rule_pattern(self) -> str:
        """The pattern of the rule that feeds the archive."""
        document = json.loads(self.pattern) if self.pattern else {}
        return compact({**document, "replay-name": [{"exists": False}]})

    def list_item(self) -> Params:
        """Return the archive as ListArchives does."""
        return {
            "ArchiveName": self.name,
            "EventSourceArn": self.bus.arn,
            "State": "ENABLED",
            "RetentionDays": self.retention_days,
            "SizeBytes": self.events.size_bytes,
            "EventCount": len(self.events),
            "CreationTime": self.created_at,
        }

    def details(self) -> Params:
        """Return the archive as DescribeArchive does."""
        optional = {
            "Description": self.description,
            "EventPattern": self.pattern,
            "KmsKeyIdentifier": self.kms_key,
        }
        return self.list_item() | {"ArchiveArn": self.arn} | {name: value for name, value in optional.items() if value}


def _sink(archive: Archive, name: str) -> Target:
    """Return the target of the rule that feeds the archive, with the transformer that AWS shows there."""
    arn = f"arn:aws:events:{archive.bus.region}:::"
    template = f'{{"archive-arn": "{archive.arn}", "event": <aws.events.event.json>, '
    template += '"ingestion-time": <aws.events.event.ingestion-time>}'
    transformer = {"InputPathsMap": {}, "InputTemplate": template}
    given = {"Id": name, "Arn": arn, "InputTransformer": transformer}
    return Target(name, arn, given, lambda event, _rule_arn: event.text)


class Archives(Registry[Archive]):
    """The archives of all accounts."""

    in_use = "Archive {name} already exists."
    not_found = "Archive {name} does not exist."

    def create(self, given: Params, bus: Bus, caller: Caller) -> Archive:
        """Create an archive and the rule that feeds it."""
        name = given["ArchiveName"]
        self.require_new(name, caller)
        arn = f"arn:aws:events:{caller.region}:{caller.account}:archive/{name}"
        archive = Archive(name, arn, bus, self._clock.now())
        self._configure(archive, given)
        return self.add(archive, caller)

    def update(self, given: Params, caller: Caller) -> Archive:
        """Change the settings for events from now on."""
        archive = self.find(given["ArchiveName"], caller)
        self._configure(archive, given)
        return archive

    def _configure(self, archive: Archive, given: Params) -> None:
        if given.get("EventPattern"):
            EventPattern(given["EventPattern"])
        archive.pattern = given.get("EventPattern", archive.pattern)
        archive.description = given.get("Description", archive.description)
        archive.kms_key = given.get("KmsKeyIdentifier", archive.kms_key)
        archive.retention_days = given.get("RetentionDays", archive.retention_days)
        name = f"{RULE_PREFIX}{archive.name}"
        bus = archive.bus
        rule = bus.rules.get(name) or Rule(name, bus.rule_arn(name), bus, managed_by=MANAGED_BY)
        rule.pattern = EventPattern(archive.rule_pattern)
        rule.targets = {name: _sink(archive, name)}
        bus.rules[name] = rule
        bus.reindex(rule)

    def delete(self, name: str, caller: Caller) -> Archive:
        """Delete an archive with its events and its rule."""
        archive = super().delete(name, caller)
        rule = archive.bus.rules.pop(f"{RULE_PREFIX}{name}", None)
        if rule is not None:
            archive.bus.reindex(rule)
        return archive

    def find(self, name: str, caller: Caller, verb: str = "describe") -> Archive:
        """Return an archive without its expired events; raises ResourceNotFoundException."""
        archive = super().find(name, caller, verb)
        archive.expire(self._clock.now())
        return archive

    def of(self, caller: Caller) -> list[Archive]:
        """Return the caller's archives without their expired events."""
        return [self.find(archive.name, caller) for archive in super().of(caller)]

    def store(self, event: Event, rule: Rule) -> None:
        """Store an event that the rule of an archive matched."""
        key = (rule.bus.account, rule.bus.region, rule.name.removeprefix(RULE_PREFIX))
        archive = self._items.get(key)
        if archive is not None:
            archive.expire(self._clock.now())
            archive.events.append(event)

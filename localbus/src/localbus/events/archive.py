"""Archives of the events of a bus. `replay` publishes them again.

A managed rule on the bus feeds the archive; it does not match replayed events.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from localbus.clock import Clock
from localbus.event_pattern.pattern import EventPattern
from localbus.events.archived_events.rows import block_rows
from localbus.events.archived_events.store import ArchiveStore
from localbus.events.bus import Bus, Buses, Rule, Target, bus_of
from localbus.events.event import Event, compact
from localbus.events.registry import Registry
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

MANAGED_BY = "prod.vhs.events.aws.internal"
RULE_PREFIX = "Events-Archive-"
_DAY_S = 86_400


@dataclass(eq=False)
class Archive:
    """An archive of the events of one bus that match its pattern."""

    name: str
    arn: str
    bus: Bus
    events: ArchiveStore
    created_at: float
    description: str | None = None
    pattern: str | None = None
    kms_key: str | None = None
    retention_days: int = 0  # 0 retains events forever

    def expire(self, now: float) -> bool:
        """Delete the events whose retention period has passed. Return whether there were any."""
        return self.retention_days > 0 and self.events.expire_until(now - self.retention_days * _DAY_S)

    def document(self) -> Document:
        """Return the archive for the storage, without its events."""
        return {
            "bus": self.bus.arn,
            "number": self.events.archive,
            "expired_until": self.events.expired_until,
            "created_at": self.created_at,
            "description": self.description,
            "pattern": self.pattern,
            "kms_key": self.kms_key,
            "retention_days": self.retention_days,
        }

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

    kind = "events.archive"
    in_use = "Archive {name} already exists."
    not_found = "Archive {name} does not exist."

    def __init__(self, clock: Clock, storage: Storage, buses: Buses) -> None:
        super().__init__(clock, storage)
        self._buses = buses
        self._rows = block_rows(storage)
        self._last_number = 0

    def create(self, given: Params, bus: Bus, caller: Caller) -> Archive:
        """Create an archive and the rule that feeds it."""
        name = given["ArchiveName"]
        self.require_new(name, caller)
        arn = f"arn:aws:events:{caller.region}:{caller.account}:archive/{name}"
        self._last_number += 1
        archive = Archive(name, arn, bus, ArchiveStore(self._rows, self._last_number), self._clock.now())
        self._configure(archive, given)
        return self.add(archive, caller)

    def update(self, given: Params, caller: Caller) -> Archive:
        """Change the settings for events from now on."""
        archive = self.find(given["ArchiveName"], caller)
        self._configure(archive, given)
        self.save(archive)
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
        self._buses.save_rule(rule)

    def delete(self, name: str, caller: Caller) -> Archive:
        """Delete an archive with its events and its rule."""
        archive = super().delete(name, caller)
        archive.events.delete()
        rule = archive.bus.rules.pop(f"{RULE_PREFIX}{name}", None)
        if rule is not None:
            archive.bus.reindex(rule)
            self._buses.save_rule(rule)
        return archive

    def restore(self) -> None:
        """Read all archives with their events from the storage. Raises DataFolderError."""
        super().restore()
        by_number = {archive.events.archive: archive for archive in self}
        self._last_number = max(by_number, default=0)
        for block in self._rows.load():
            by_number[block.archive].events.restore(block)

    def _restored(self, arn: str, stored: Document) -> Archive:
        name, bus_arn = arn.rpartition("/")[2], stored.pop("bus")
        events = ArchiveStore(self._rows, stored.pop("number"))
        events.expired_until = stored.pop("expired_until")
        bus = self._buses.by_arn(bus_arn)
        if bus is None:  # deleted before the archive
            bus = bus_of(bus_arn, created_at=stored["created_at"], modified_at=stored["created_at"])
        archive = Archive(name, arn, bus, events, **stored)
        rule_name = f"{RULE_PREFIX}{name}"
        sink, rule = _sink(archive, rule_name), bus.rules.get(rule_name)
        if rule is not None and rule_name in rule.targets and rule.targets[rule_name].given == sink.given:
            rule.targets[rule_name] = sink
        return archive

    def find(self, name: str, caller: Caller, verb: str = "describe") -> Archive:
        """Return an archive without its expired events; raises ResourceNotFoundException."""
        archive = super().find(name, caller, verb)
        self._expire(archive)
        return archive

    def of(self, caller: Caller) -> list[Archive]:
        """Return the caller's archives without their expired events."""
        return [self.find(archive.name, caller) for archive in super().of(caller)]

    def store(self, event: Event, rule: Rule) -> None:
        """Store an event that the rule of an archive matched."""
        key = (rule.bus.account, rule.bus.region, rule.name.removeprefix(RULE_PREFIX))
        archive = self._items.get(key)
        if archive is not None:
            self._expire(archive)
            archive.events.append(event)

    def _expire(self, archive: Archive) -> None:
        if archive.expire(self._clock.now()):
            self.save(archive)

"""Archives, which keep the events of a bus, and replays, which bring them back.

An archive is fed by a rule of its own on the bus, one that EventBridge manages and that takes no replayed events.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from localbus.clock import Clock, Wake
from localbus.errors import AwsError
from localbus.event import Event, compact
from localbus.event_bus import Bus, Rule, Target
from localbus.event_pattern import EventPattern
from localbus.kept_events import Kept, KeptEvents, read
from localbus.model import Params
from localbus.service import Caller

MANAGED_BY = "prod.vhs.events.aws.internal"
RULE_PREFIX = "Events-Archive-"
# Events are replayed by the minute in which they happened; AWS does not say how fast. Here each minute takes a second.
REPLAY_STEP_S = 1.0
_DAY_S = 86_400

Publish = Callable[[Event, Bus, frozenset[str] | None], None]


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


@dataclass(eq=False)
class Replay:
    """One replay: the events of a time, minute by minute, on the bus that they came from."""

    name: str
    arn: str
    archive: Archive
    given: Params
    started_at: float
    state: str = "STARTING"
    ended_at: float | None = None
    last_replayed_at: float | None = None
    wake: Wake | None = None

    def listed(self) -> Params:
        """The replay in a list."""
        known = {
            "ReplayName": self.name,
            "EventSourceArn": self.archive.arn,
            "State": self.state,
            "EventStartTime": self.given["EventStartTime"],
            "EventEndTime": self.given["EventEndTime"],
            "EventLastReplayedTime": self.last_replayed_at,
            "ReplayStartTime": self.started_at,
            "ReplayEndTime": self.ended_at,
        }
        return {name: value for name, value in known.items() if value is not None}

    def described(self) -> Params:
        """The whole replay."""
        shown = self.listed() | {"ReplayArn": self.arn, "Destination": self.given["Destination"]}
        return shown | {name: self.given[name] for name in ("Description",) if name in self.given}


class Archives:
    """The archives and replays of every account and region."""

    def __init__(self, clock: Clock, publish: Publish) -> None:
        self._clock = clock
        self._publish = publish
        self._archives: dict[tuple[str, str, str], Archive] = {}
        self._replays: dict[tuple[str, str, str], Replay] = {}

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

    def replay(self, name: str, caller: Caller) -> Replay:
        """The replay of that name; raises ResourceNotFoundException."""
        replay = self._replays.get((caller.account, caller.region, name))
        if replay is None:
            raise AwsError("ResourceNotFoundException", f"Replay {name} does not exist.")
        return replay

    def replays_of(self, caller: Caller) -> list[Replay]:
        """The caller's replays by name."""
        scope = (caller.account, caller.region)
        return [self._replays[key] for key in sorted(self._replays) if key[:2] == scope]

    def start(self, given: Params, archive: Archive, caller: Caller) -> Replay:
        """Begin a replay."""
        name = given["ReplayName"]
        key = (caller.account, caller.region, name)
        if key in self._replays:
            raise AwsError("ResourceAlreadyExistsException", f"Replay {name} already exists.")
        arn = f"arn:aws:events:{caller.region}:{caller.account}:replay/{name}"
        replay = self._replays[key] = Replay(name, arn, archive, given, self._clock.now())
        minutes = self._by_minute(archive, given["EventStartTime"], given["EventEndTime"])
        self._plan(replay, minutes)
        return replay

    def cancel(self, replay: Replay) -> None:
        """Stop a replay; what has been replayed stays so."""
        if replay.state not in {"STARTING", "RUNNING"}:
            raise AwsError(
                "IllegalStatusException", f"Replay {replay.name} is not in a valid state for this operation."
            )
        replay.state = "CANCELLING"

    @staticmethod
    def _by_minute(archive: Archive, start: datetime, end: datetime) -> deque[list[Kept]]:
        minutes: dict[int, list[Kept]] = {}
        for kept in archive.events.between(start.timestamp(), end.timestamp()):
            minutes.setdefault(int(kept.happened_at) // 60, []).append(kept)
        return deque(minutes[minute] for minute in sorted(minutes))

    def _plan(self, replay: Replay, minutes: deque[list[Kept]]) -> None:
        when = self._clock.now() + REPLAY_STEP_S
        replay.wake = self._clock.call_at(when, lambda: self._step(replay, minutes))

    def _step(self, replay: Replay, minutes: deque[list[Kept]]) -> None:
        """Replay the events of one minute, and go on with the next one later."""
        now = self._clock.now()
        if replay.state == "CANCELLING":
            replay.state, replay.ended_at = "CANCELLED", now
            return
        replay.state = "RUNNING"
        if minutes:
            destination = replay.given["Destination"]
            only = frozenset(destination["FilterArns"]) if destination.get("FilterArns") else None
            for event in read(minutes.popleft()):
                self._publish(event.replayed(replay.name, now), replay.archive.bus, only)
                replay.last_replayed_at = datetime.fromisoformat(event.document["time"]).timestamp()
        if minutes:
            self._plan(replay, minutes)
        else:
            replay.state, replay.ended_at = "COMPLETED", now

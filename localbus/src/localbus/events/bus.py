"""Event buses with their rules and the rules' targets, by account, region and name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from localbus.clock import TimerHandle
from localbus.event_pattern.pattern import EventPattern
from localbus.events.errors import invalid_arn, missing
from localbus.events.input_transformer import Input, compile_input
from localbus.events.registry import Registry
from localbus.events.rule_index import RuleIndex
from localbus.events.schedule import Schedule, parse
from localbus.metric_counts import MetricCounts
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.resource_policy import Principal
from localbus.storage.documents import Document

DEFAULT_BUS = "default"
_BUS_ARN = re.compile(r"arn:aws[a-z-]*:events:([a-z0-9-]+):([0-9]{12}):event-bus/(.+)")
_RULE_ARN = re.compile(r"arn:aws[a-z-]*:events:([a-z0-9-]+):([0-9]{12}):rule/(?:(.+)/)?([^/]+)")

_RULE = "events.rule"  # the kind of its record, which belongs to the bus by its ARN

State = Literal["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"]


def is_bus_arn(text: str) -> bool:
    """Return whether a text has the form of a bus ARN."""
    return _BUS_ARN.fullmatch(text) is not None


@dataclass
class Target:
    """A target of a rule. `given` is the entry of PutTargets."""

    target_id: str
    arn: str
    given: Params
    input: Input

    @classmethod
    def of(cls, given: Params) -> Target:
        """Build a target. Raises ValidationException for an input that is not valid."""
        return cls(given["Id"], given["Arn"], given, compile_input(given))

    @property
    def service(self) -> str:
        """The service in the ARN."""
        return self.arn.split(":")[2]

    @property
    def dead_letter_arn(self) -> str | None:
        """The dead-letter queue for events that cannot be delivered."""
        arn: str | None = self.given.get("DeadLetterConfig", {}).get("Arn")
        return arn


@dataclass(eq=False)
class Rule:
    """A rule of a bus, with an event pattern, a schedule or both. The schedule starts it next at `next_at`."""

    name: str
    arn: str
    bus: Bus
    pattern: EventPattern | None = None
    schedule_expression: str | None = None
    schedule: Schedule | None = None
    state: State = "ENABLED"
    description: str | None = None
    role_arn: str | None = None
    managed_by: str | None = None
    created_by: str = ""
    targets: dict[str, Target] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    next_at: float | None = None
    timer: TimerHandle | None = None
    counts: MetricCounts = field(default_factory=MetricCounts)

    def __post_init__(self) -> None:
        context = {"aws:SourceArn": self.arn, "aws:SourceAccount": self.bus.account}
        self.principal = Principal(service="events.amazonaws.com", context=context)

    @property
    def is_enabled(self) -> bool:
        """True if the rule matches events and follows its schedule."""
        return self.state != "DISABLED"

    def document(self) -> Document:
        """Return the rule for the storage."""
        return {
            "pattern": self.pattern.text if self.pattern else None,
            "schedule": self.schedule_expression,
            "state": self.state,
            "description": self.description,
            "role_arn": self.role_arn,
            "managed_by": self.managed_by,
            "created_by": self.created_by,
            "targets": [target.given for target in self.targets.values()],
            "tags": self.tags,
            "next_at": self.next_at,
        }

    @classmethod
    def restored(cls, name: str, bus: Bus, stored: Document) -> Rule:
        """Return a rule from the storage, whose schedule does not run yet."""
        pattern, schedule, targets = stored.pop("pattern"), stored.pop("schedule"), stored.pop("targets")
        return cls(
            name,
            bus.rule_arn(name),
            bus,
            EventPattern(pattern) if pattern else None,
            schedule,
            parse(schedule) if schedule else None,
            targets={given["Id"]: Target.of(given) for given in targets},
            **stored,
        )


@dataclass(eq=False)
class Bus:
    """An event bus."""

    name: str
    account: str
    region: str
    created_at: float
    modified_at: float
    settings: Params = field(default_factory=dict)  # Description, KmsKeyIdentifier, DeadLetterConfig, LogConfig
    policy: dict[str, Any] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    index: RuleIndex[Rule] = field(default_factory=RuleIndex)

    def document(self) -> Document:
        """Return the bus for the storage, without its rules."""
        return {
            "created_at": self.created_at,
            "modified_at": self.modified_at,
            "settings": self.settings,
            "policy": self.policy,
            "tags": self.tags,
        }

    @property
    def policy_text(self) -> str:
        """The policy as JSON; empty without one."""
        return json.dumps(self.policy) if self.policy else ""

    @property
    def arn(self) -> str:
        """The ARN of the bus."""
        return f"arn:aws:events:{self.region}:{self.account}:event-bus/{self.name}"

    def rule_arn(self, name: str) -> str:
        """Return the ARN of a rule with this name. Those of the default bus do not contain the bus."""
        within = "" if self.name == DEFAULT_BUS else f"{self.name}/"
        return f"arn:aws:events:{self.region}:{self.account}:rule/{within}{name}"

    def rule(self, name: str) -> Rule:
        """Return the rule with this name; raises ResourceNotFoundException."""
        rule = self.rules.get(name)
        if rule is None:
            raise missing(f"Rule {name} does not exist on EventBus {self.name}.")
        return rule

    def reindex(self, rule: Rule) -> None:
        """Update the index after a change of the rule's pattern or state, or its deletion."""
        self.index.remove(rule)
        if self.rules.get(rule.name) is rule and rule.is_enabled and rule.pattern is not None:
            self.index.add(rule, rule.pattern)


def bus_of(arn: str, **members: Any) -> Bus:
    """Return a bus of this ARN, with these members of Bus."""
    name, owner = _split(arn, Caller())
    return Bus(name, owner.account, owner.region, **members)


class Buses(Registry[Bus]):
    """The buses of all accounts. Each account has a default bus in each region."""

    kind = "events.bus"
    quota = 100
    in_use = "Event bus {name} already exists."
    not_found = "Event bus {name} does not exist."

    def create(self, name: str, caller: Caller, settings: Params, tags: dict[str, str]) -> Bus:
        """Create a bus."""
        self._default(caller)
        self.require_new(name, caller)
        now = self._clock.now()
        return self.add(Bus(name, caller.account, caller.region, now, now, settings, tags=tags), caller)

    def of(self, caller: Caller) -> list[Bus]:
        """Return the caller's buses, the default bus included."""
        self._default(caller)
        return super().of(caller)

    def look_up(self, name_or_arn: str | None, caller: Caller) -> Bus | None:
        """Return the bus with this name or ARN, if it exists. The default is the caller's default bus."""
        name, caller = _split(name_or_arn or DEFAULT_BUS, caller)
        if name == DEFAULT_BUS:
            return self._default(caller)
        return self._items.get((caller.account, caller.region, name))

    def find(self, name: str | None, caller: Caller, verb: str = "describe") -> Bus:
        """Return the bus with this name or ARN; raises ResourceNotFoundException."""
        return self.look_up(name, caller) or super().find(*_split(name or "", caller), verb)

    def rule_of(self, arn: str) -> Rule:
        """Return the rule of an ARN; one that has been deleted without its settings."""
        found = _RULE_ARN.fullmatch(arn)
        if found is None:
            raise invalid_arn(arn)
        region, account, bus_name, name = found.groups()
        bus_arn = f"arn:aws:events:{region}:{account}:event-bus/{bus_name or DEFAULT_BUS}"
        bus = self.by_arn(bus_arn) or bus_of(bus_arn, created_at=0.0, modified_at=0.0)
        return bus.rules.get(name) or Rule(name, arn, bus)

    def save_tagged(self, tagged: Bus | Rule) -> None:
        """Store the changed tags of a bus or rule."""
        if isinstance(tagged, Bus):
            self.save(tagged)
        else:
            self.save_rule(tagged)

    def save_rule(self, rule: Rule) -> None:
        """Store what has changed of a rule, or its deletion. Those of a deleted bus are not stored."""
        if not self.has(rule.bus):
            return
        if rule.bus.rules.get(rule.name) is rule:
            self._storage.save(_RULE, rule.name, rule.document, rule.bus.arn)
        else:
            self._storage.delete(_RULE, rule.name, rule.bus.arn)

    def _restored(self, arn: str, stored: Document) -> Bus:
        return bus_of(arn, **stored)

    def restore(self) -> None:
        """Read all buses with their rules from the storage. The schedules do not run yet. Raises DataFolderError."""
        super().restore()
        for bus_arn, name, document in self._storage.records(_RULE):
            bus = self.by_arn(bus_arn)
            if bus is not None:
                bus.rules[name] = rule = Rule.restored(name, bus, document)
                bus.reindex(rule)

    def by_arn(self, arn: str) -> Bus | None:
        """Return the bus with this ARN, if it exists."""
        name, owner = _split(arn, Caller())
        return self._items.get((owner.account, owner.region, name))

    def tagged(self, arn: str, caller: Caller) -> Bus | Rule:
        """Return the bus or rule with this ARN; raises ResourceNotFoundException."""
        found = _RULE_ARN.fullmatch(arn)
        if found:
            region, account, bus_name, rule_name = found.groups()
            return self.find(bus_name, Caller(account, region)).rule(rule_name)
        if is_bus_arn(arn):
            return self.find(arn, caller)
        raise invalid_arn(arn)

    def _default(self, caller: Caller) -> Bus:
        bus = self._items.get((caller.account, caller.region, DEFAULT_BUS))
        if bus is None:
            now = self._clock.now()
            bus = self.add(Bus(DEFAULT_BUS, caller.account, caller.region, now, now), caller)
        return bus


def _split(name_or_arn: str, caller: Caller) -> tuple[str, Caller]:
    """Split an ARN into the name and the owner's account and region; a plain name is the caller's."""
    found = _BUS_ARN.fullmatch(name_or_arn)
    return (found[3], Caller(found[2], found[1])) if found else (name_or_arn, caller)

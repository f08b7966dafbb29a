"""Event buses with their rules and the rules' targets: what there is, by account, region and name.

What is checked before is the part of the modules of the actions, what becomes of an event that of `eventbridge`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from localbus.clock import Clock, TimerHandle
from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern
from localbus.events.input_transformer import Input
from localbus.events.rule_index import RuleIndex
from localbus.events.schedule import Schedule
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.resource_policy import Principal

DEFAULT_BUS = "default"
_BUS_ARN = re.compile(r"arn:aws[\w-]*:events:([a-z0-9-]+):([0-9]{12}):event-bus/(.+)")
_RULE_ARN = re.compile(r"arn:aws[\w-]*:events:([a-z0-9-]+):([0-9]{12}):rule/(?:(.+)/)?([^/]+)")

Key = tuple[str, str, str]
State = Literal["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"]


def is_bus_arn(text: str) -> bool:
    """Whether a text has the form of a bus's ARN."""
    return _BUS_ARN.fullmatch(text) is not None


@dataclass
class Target:
    """Where a rule sends events. `given` is the target as PutTargets had it."""

    target_id: str
    arn: str
    given: Params
    input: Input

    @property
    def service(self) -> str:
        """The service that the ARN names."""
        return self.arn.split(":")[2]

    @property
    def dead_letter_arn(self) -> str | None:
        """The queue for events that cannot be delivered."""
        arn: str | None = self.given.get("DeadLetterConfig", {}).get("Arn")
        return arn


@dataclass(eq=False)
class Rule:
    """A rule of a bus."""

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
    targets: dict[str, Target] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    wake: TimerHandle | None = None

    def __post_init__(self) -> None:
        context = {"aws:SourceArn": self.arn, "aws:SourceAccount": self.bus.account}
        self.principal = Principal(service="events.amazonaws.com", context=context)

    @property
    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self.state != "DISABLED"


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

    @property
    def arn(self) -> str:
        """The bus's ARN."""
        return f"arn:aws:events:{self.region}:{self.account}:event-bus/{self.name}"

    def rule_arn(self, name: str) -> str:
        """The ARN that a rule of that name has; rules of the default bus do not name it."""
        within = "" if self.name == DEFAULT_BUS else f"{self.name}/"
        return f"arn:aws:events:{self.region}:{self.account}:rule/{within}{name}"

    def rule(self, name: str) -> Rule:
        """The rule of that name; raises ResourceNotFoundException."""
        rule = self.rules.get(name)
        if rule is None:
            text = f"Rule {name} does not exist on EventBus {self.name}."
            raise AwsError("ResourceNotFoundException", text)
        return rule

    def reindex(self, rule: Rule) -> None:
        """Have events find the rule, or no longer find it, as its state and pattern are now."""
        self.index.remove(rule)
        if self.rules.get(rule.name) is rule and rule.is_enabled and rule.pattern is not None:
            self.index.add(rule, rule.pattern)


class Buses:
    """The buses of every account and region. Each has a default bus from the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buses: dict[Key, Bus] = {}

    def of(self, caller: Caller) -> list[Bus]:
        """The caller's buses by name."""
        self._default(caller.account, caller.region)
        own = (bus for bus in self._buses.values() if (bus.account, bus.region) == (caller.account, caller.region))
        return sorted(own, key=lambda bus: bus.name)

    def __iter__(self) -> Iterator[Bus]:
        return iter(list(self._buses.values()))

    def create(self, name: str, caller: Caller, settings: Params, tags: dict[str, str]) -> Bus:
        """Make a bus."""
        key = (caller.account, caller.region, name)
        if name == DEFAULT_BUS or key in self._buses:
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
        now = self._clock.now()
        bus = self._buses[key] = Bus(name, caller.account, caller.region, now, now, settings, tags=tags)
        return bus

    def delete(self, bus: Bus) -> None:
        """Take a bus away."""
        del self._buses[(bus.account, bus.region, bus.name)]

    def look_up(self, name_or_arn: str | None, caller: Caller) -> Bus | None:
        """The bus of that name or ARN, if there is one; without a name the caller's default bus."""
        account, region, name = caller.account, caller.region, name_or_arn or DEFAULT_BUS
        found = _BUS_ARN.fullmatch(name)
        if found:
            region, account, name = found.groups()
        if name == DEFAULT_BUS:
            return self._default(account, region)
        return self._buses.get((account, region, name))

    def find(self, name_or_arn: str | None, caller: Caller) -> Bus:
        """The bus of that name or ARN; raises ResourceNotFoundException."""
        bus = self.look_up(name_or_arn, caller)
        if bus is None:
            found = _BUS_ARN.fullmatch(name_or_arn or "")
            name = found[3] if found else name_or_arn
            raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return bus

    def tagged(self, arn: str, caller: Caller) -> Bus | Rule:
        """The bus or rule of that ARN, which are what has tags; raises ResourceNotFoundException."""
        found = _RULE_ARN.fullmatch(arn)
        if found:
            region, account, bus_name, rule_name = found.groups()
            return self.find(bus_name, Caller(account, region)).rule(rule_name)
        if _BUS_ARN.fullmatch(arn):
            return self.find(arn, caller)
        raise AwsError(
            "ValidationException", f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        )

    def _default(self, account: str, region: str) -> Bus:
        key = (account, region, DEFAULT_BUS)
        bus = self._buses.get(key)
        if bus is None:
            now = self._clock.now()
            bus = self._buses[key] = Bus(DEFAULT_BUS, account, region, now, now)
        return bus

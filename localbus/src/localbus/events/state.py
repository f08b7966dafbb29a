"""EventBridge as a service: its table of actions, and the way of an event from a bus over its rules to their targets.

`event_pattern` says what a pattern is, `rule_index` how rules are found, `delivery` how events reach targets.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.delivery.dispatcher import Dispatcher
from localbus.delivery_faults import Disorder
from localbus.events import (
    archive_actions,
    bus_actions,
    destination_actions,
    put_events_actions,
    rule_actions,
    target_actions,
)
from localbus.events.api_destination import ApiDestinations
from localbus.events.archive import Archives
from localbus.events.bus import Bus, Buses, Rule
from localbus.events.connection import Connection, Connections
from localbus.events.delivery import EventDeliveries, EventDelivery
from localbus.events.event import Event, envelope
from localbus.events.replay import Replays
from localbus.events.targets import Deliver, EventTargets
from localbus.journal import Journal
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

_LATE_S = 60

ACTIONS: dict[str, Callable[[EventBridge, Params, Caller], Params]] = {
    "CancelReplay": archive_actions.cancel_replay,
    "CreateApiDestination": destination_actions.create_api_destination,
    "CreateArchive": archive_actions.create_archive,
    "CreateConnection": destination_actions.create_connection,
    "CreateEventBus": bus_actions.create_event_bus,
    "DeauthorizeConnection": destination_actions.deauthorize_connection,
    "DeleteApiDestination": destination_actions.delete_api_destination,
    "DeleteArchive": archive_actions.delete_archive,
    "DeleteConnection": destination_actions.delete_connection,
    "DeleteEventBus": bus_actions.delete_event_bus,
    "DeleteRule": rule_actions.delete_rule,
    "DescribeApiDestination": destination_actions.describe_api_destination,
    "DescribeArchive": archive_actions.describe_archive,
    "DescribeConnection": destination_actions.describe_connection,
    "DescribeEventBus": bus_actions.describe_event_bus,
    "DescribeReplay": archive_actions.describe_replay,
    "DescribeRule": rule_actions.describe_rule,
    "DisableRule": rule_actions.disable_rule,
    "EnableRule": rule_actions.enable_rule,
    "ListApiDestinations": destination_actions.list_api_destinations,
    "ListArchives": archive_actions.list_archives,
    "ListConnections": destination_actions.list_connections,
    "ListEventBuses": bus_actions.list_event_buses,
    "ListReplays": archive_actions.list_replays,
    "ListRuleNamesByTarget": rule_actions.list_rule_names_by_target,
    "ListRules": rule_actions.list_rules,
    "ListTagsForResource": bus_actions.list_tags_for_resource,
    "ListTargetsByRule": target_actions.list_targets_by_rule,
    "PutEvents": put_events_actions.put_events,
    "PutPermission": bus_actions.put_permission,
    "PutRule": rule_actions.put_rule,
    "PutTargets": target_actions.put_targets,
    "RemovePermission": bus_actions.remove_permission,
    "RemoveTargets": target_actions.remove_targets,
    "StartReplay": archive_actions.start_replay,
    "TagResource": bus_actions.tag_resource,
    "TestEventPattern": put_events_actions.try_event_pattern,
    "UntagResource": bus_actions.untag_resource,
    "UpdateApiDestination": destination_actions.update_api_destination,
    "UpdateArchive": archive_actions.update_archive,
    "UpdateConnection": destination_actions.update_connection,
    "UpdateEventBus": bus_actions.update_event_bus,
}


class EventBridge:
    """All buses, and what becomes of the events on them."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        sqs: Sqs,
        upstream: UpstreamCalls,
        tasks: BackgroundTasks,
        *,
        enforce_policies: bool = True,
        disorder: Disorder | None = None,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.enforce_policies = enforce_policies
        self.buses = Buses(clock)
        self.connections = Connections(clock)
        self.destinations = ApiDestinations(clock, self.connections)
        self.archives = Archives(clock)
        self.replays = Replays(clock, self.publish)
        self._targets = EventTargets(
            sqs, upstream, self.buses, self.publish, self.destinations, enforce_policies=enforce_policies
        )
        self._targets.archive = self._archive
        dispatcher = Dispatcher(clock, journal, sqs, tasks)
        self.deliveries = EventDeliveries(clock, journal, dispatcher, self._targets.senders())
        self.disturb(disorder or Disorder())
        self._tasks = tasks

    def service(self) -> Service:
        """EventBridge for the router."""
        return Service(Api("events"), {name: partial(action, self) for name, action in ACTIONS.items()}, "1.1")

    def disturb(self, disorder: Disorder) -> None:
        """Let so many events trigger a rule twice from now on; chance begins anew."""
        self._doubled_events = disorder.doubled_events
        self._chance = random.Random(f"{disorder.seed} events")  # noqa: S311 (chance is the purpose)

    def use_sns(self, deliver: Deliver) -> None:
        """Have topics take events by `deliver(topic_arn, {"Message": ...}, principal, trace_header)`.

        That may raise AwsError.
        """
        self._targets.sns = deliver

    def publish(self, event: Event, bus: Bus, only: frozenset[str] | None = None) -> None:
        """Bring an event to the targets of the rules that it matches, or only of those with these ARNs."""
        now = self.clock.now()
        self.journal.note("published", bus.arn, event.event_id, now)
        found = bus.index.matching(bus.index.open(event.document))
        matched = found if only is None else [rule for rule in found if rule.arn in only]
        if not matched:
            self.journal.note("unmatched", bus.arn, event.event_id, now)
        for rule in matched:
            self.journal.note("matched", rule.arn, event.event_id, now)
            self._send(event, rule)

    def _send(self, event: Event, rule: Rule) -> None:
        """Bring the event to a rule's targets. AWS promises to do so at least once.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
        """
        times = 1
        if self._doubled_events and self._chance.random() < self._doubled_events:
            self.journal.note("doubled", rule.arn, event.event_id, self.clock.now())
            times = 2
        for _ in range(times):
            for target in list(rule.targets.values()):
                self.deliveries.start(event, rule, target)

    def _archive(self, delivery: EventDelivery) -> None:
        self.archives.keep(delivery.event, delivery.rule)

    # Schedules

    def rule_changed(self, rule: Rule) -> None:
        """Go by a rule as it is now."""
        rule.bus.reindex(rule)
        if rule.wake is not None:
            rule.wake.cancel()
            rule.wake = None
        if rule.bus.rules.get(rule.name) is rule:
            self._plan(rule, self.clock.now())

    def _plan(self, rule: Rule, now: float) -> None:
        when = rule.schedule.after(now) if rule.schedule and rule.is_enabled else None
        if when is not None:
            rule.wake = self.clock.call_at(when, lambda: self._run(rule, when))

    def _run(self, rule: Rule, when: float) -> None:
        """Send the scheduled event to the rule's own targets.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
        """
        bus = rule.bus
        document = envelope("aws.events", "Scheduled Event", {}, account=bus.account, region=bus.region, time=when)
        document["resources"] = [rule.arn]
        event = Event(document, when)
        self.journal.note("scheduled", rule.arn, event.event_id, when)
        # From the time that was meant, so that a rate does not drift; from now where that has been slept through.
        self._plan(rule, when if self.clock.now() < when + _LATE_S else self.clock.now())
        self._send(event, rule)

    # Connections

    def authorize_soon(self, connection: Connection) -> None:
        """Have a connection that needs a token get one, while the caller has its answer already."""
        if connection.uses_token:
            self._tasks.start(connection.authorize(self.clock.now))

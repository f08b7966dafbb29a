"""EventBridge's resources, and the path of an event from a bus through its rules to their targets.

See `event_pattern` for patterns, `rule_index` for rule lookup and `delivery` for retries and dead-letter queues.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.delivery.dispatcher import Dispatcher
from localbus.delivery_faults import DeliveryFaults
from localbus.events.api_destination import ApiDestinations
from localbus.events.archive import Archives
from localbus.events.bus import Bus, Buses, Rule
from localbus.events.connection import Connection, Connections
from localbus.events.connection_secrets import ConnectionSecrets
from localbus.events.delivery import EventDeliveries
from localbus.events.event import Event, envelope
from localbus.events.replay import Replays
from localbus.events.targets import EventTargets, TopicPublisher
from localbus.journal import Journal
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient


class EventBridge:
    """All resources of EventBridge. Topics are published to by `publish_to_topic`."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        sqs: Sqs,
        upstream: UpstreamClient,
        tasks: BackgroundTasks,
        *,
        publish_to_topic: TopicPublisher,
        enforce_policies: bool = True,
        faults: DeliveryFaults | None = None,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.enforce_policies = enforce_policies
        self.buses = Buses(clock, sqs.storage)
        self.connections = Connections(clock, sqs.storage)
        self.secrets = ConnectionSecrets(upstream)
        self.destinations = ApiDestinations(clock, sqs.storage, self.connections)
        self.archives = Archives(clock, sqs.storage, self.buses)
        self.replays = Replays(clock, sqs.storage, tasks, self.publish)
        targets = EventTargets(
            clock,
            sqs,
            upstream,
            self.buses,
            self.destinations,
            self.archives,
            publish=self.publish,
            publish_to_topic=publish_to_topic,
            enforce_policies=enforce_policies,
        )
        dispatcher = Dispatcher(clock, journal, sqs, tasks, storage=sqs.storage, kind="events.delivery")
        self.deliveries = EventDeliveries(clock, journal, dispatcher, targets.senders())
        self.set_faults(faults or DeliveryFaults())
        self.on_rule: Callable[[Rule], Awaitable[None] | None] = lambda _rule: None  # for each new or changed rule
        self._tasks = tasks

    def restore(self) -> None:
        """Read everything from the storage, when the engine starts, and go on with what ran. Raises DataFolderError.

        A schedule that was due while the engine was down starts its rule once.
        """
        for registry in (self.buses, self.connections, self.destinations, self.archives, self.replays):
            registry.restore()
        self.replays.resume(self.archives)
        for rule in (rule for bus in self.buses for rule in bus.rules.values()):
            self._schedule(rule, rule.next_at)
        self.deliveries.restore(self.buses)
        for connection in self.connections:
            if connection.state == "AUTHORIZING":
                self.start_authorization(connection)

    def set_faults(self, faults: DeliveryFaults) -> None:
        """Set the share of events that trigger a rule twice, and reset the random generator to the seed."""
        self._doubled_events = faults.doubled_events
        self._rng = random.Random(f"{faults.seed} events")  # noqa: S311 (not for cryptography)

    def publish(self, event: Event, bus: Bus, only: frozenset[str] | None = None) -> None:
        """Send an event to the targets of the rules that match it; `only` limits the rules to these ARNs."""
        now = self.clock.now()
        self.journal.note("published", bus.arn, event.event_id, now)
        found = bus.index.matching(bus.index.flatten(event.document))
        matched = found if only is None else [rule for rule in found if rule.arn in only]
        if not matched:
            self.journal.note("unmatched", bus.arn, event.event_id, now)
        for rule in matched:
            self.journal.note("matched", rule.arn, event.event_id, now)
            rule.counts.add("MatchedEvents")
            self._send(event, rule)

    def _send(self, event: Event, rule: Rule) -> None:
        """Send the event to the targets of a rule. AWS promises at-least-once delivery.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
        """
        times = 1
        if self._doubled_events and self._rng.random() < self._doubled_events:
            self.journal.note("doubled", rule.arn, event.event_id, self.clock.now())
            times = 2
        rule.counts.add("TriggeredRules", times)
        for _ in range(times):
            for target in list(rule.targets.values()):
                self.deliveries.start(event, rule, target)

    # Schedules

    def rule_changed(self, rule: Rule) -> Awaitable[None] | None:
        """Update the index and the schedule after a change. Return the wait until events can reach the rule, if any."""
        rule.bus.reindex(rule)
        if rule.timer is not None:
            rule.timer.cancel()
            rule.timer = None
        exists = rule.bus.rules.get(rule.name) is rule
        schedule = rule.schedule if exists and rule.is_enabled else None
        self._schedule(rule, schedule.after(self.clock.now()) if schedule else None)
        self.buses.save_rule(rule)
        return self.on_rule(rule) if exists else None

    def _schedule(self, rule: Rule, when: float | None) -> None:
        """Start the rule at that time next, if any."""
        rule.next_at = when
        if when is not None:
            rule.timer = self.clock.call_at(when, lambda: self._run(rule, when))

    def _run(self, rule: Rule, when: float) -> None:
        """Send the scheduled event to the targets of its rule.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
        """
        bus = rule.bus
        document = envelope("aws.events", "Scheduled Event", {}, account=bus.account, region=bus.region, time=when)
        document["resources"] = [rule.arn]
        event = Event(document, self.clock.now())
        self.journal.note("scheduled", rule.arn, event.event_id, when)
        # Counted from the planned time: a rate keeps its phase, also if the host slept or the engine was down.
        self._schedule(rule, rule.schedule.following(when, self.clock.now()) if rule.schedule else None)
        self.buses.save_rule(rule)
        self._send(event, rule)

    def stop(self) -> None:
        """Cancel the schedules of all rules."""
        for rule in (rule for bus in self.buses for rule in bus.rules.values()):
            if rule.timer is not None:
                rule.timer.cancel()

    # Connections

    def start_authorization(self, connection: Connection) -> None:
        """Get a token in the background, for a connection that needs one."""
        if connection.uses_token:
            self._tasks.start(self.connections.authorize(connection))

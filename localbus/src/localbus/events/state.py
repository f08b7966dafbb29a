"""EventBridge's resources, and the path of an event from a bus through its rules to their targets.

See `event_pattern` for patterns, `rule_index` for rule lookup and `delivery` for retries and dead-letter queues.
"""

from __future__ import annotations

import random

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.delivery.dispatcher import Dispatcher
from localbus.delivery_faults import DeliveryFaults
from localbus.events.api_destination import ApiDestinations
from localbus.events.archive import Archives
from localbus.events.bus import Bus, Buses, Rule
from localbus.events.connection import Connection, Connections
from localbus.events.delivery import EventDeliveries, EventDelivery
from localbus.events.event import Event, envelope
from localbus.events.replay import Replays
from localbus.events.targets import Deliver, EventTargets
from localbus.journal import Journal
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

_LATE_S = 60


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
        faults: DeliveryFaults | None = None,
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
        self.set_faults(faults or DeliveryFaults())
        self._tasks = tasks

    def set_faults(self, faults: DeliveryFaults) -> None:
        """Let so many events trigger a rule twice from now on; chance begins anew."""
        self._doubled_events = faults.doubled_events
        self._rng = random.Random(f"{faults.seed} events")  # noqa: S311 (not for cryptography)

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
        if self._doubled_events and self._rng.random() < self._doubled_events:
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

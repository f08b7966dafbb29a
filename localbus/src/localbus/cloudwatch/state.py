"""The state of CloudWatch: metrics, alarms and dashboards, and the minute at whose end all are brought up to date.

At the end of each minute the services' metrics are read (`sources`) and then the alarms are evaluated; alarms with
shorter periods every ten seconds. Under a manual clock an advance by hours evaluates its last `LOOKS_BACK_S` only.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from localbus.clock import Clock, TimerHandle
from localbus.cloudwatch.alarm import SHORTEST_PERIOD_S, Alarm
from localbus.cloudwatch.alarm_evaluation import EXTRA_PERIODS, Datum, Verdict, evaluate
from localbus.cloudwatch.alarm_event import PublishEvent
from localbus.cloudwatch.alarm_message import message_of
from localbus.cloudwatch.alarms import Alarms, reason_data
from localbus.cloudwatch.dashboards import Dashboards
from localbus.cloudwatch.metric import MINUTE_S, MetricId, Published
from localbus.cloudwatch.metric_query import Owner, Queries
from localbus.cloudwatch.metric_store import MetricStore
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service_model import Api, Params
from localbus.resource_policy import Principal
from localbus.storage.storage import Storage

log = logging.getLogger("localbus")

LOOKS_BACK_S: Final = 3 * 3_600
_SERVICE: Final = "cloudwatch.amazonaws.com"

Subject = TypeVar("Subject")
PublishToTopic = Callable[[str, Params, Principal], str]
Source = Callable[[float], Iterable[tuple[Owner, str, Published]]]  # of a time: owner, namespace, data point


class CloudWatch:
    """CloudWatch of one engine. `sources` yield what its services publish for the minute that has ended."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        storage: Storage,
        *,
        publish_to_topic: PublishToTopic,
        publish_event: PublishEvent,
        sources: Sequence[Source] = (),
    ) -> None:
        self.clock = clock
        self.api = Api("monitoring", model="cloudwatch")
        self.metrics = MetricStore(storage)
        self.alarms = Alarms(clock, journal, storage, self._execute, publish_event)
        self.dashboards = Dashboards(clock, storage)
        self._publish_to_topic = publish_to_topic
        self._sources = sources
        self._timer: TimerHandle | None = None
        self._sampled_at = 0.0

    def restore(self) -> None:
        """Read everything from the storage, when the engine starts, and begin with the minutes."""
        self.metrics.restore()
        self.alarms.restore()
        self.dashboards.restore()
        self._sampled_at = self.clock.now() // MINUTE_S * MINUTE_S
        self.schedule()

    def stop(self) -> None:
        """End the minutes."""
        if self._timer is not None:
            self._timer.cancel()

    def schedule(self) -> None:
        """Set the time of the next evaluation; called again when a new alarm has a shorter period."""
        self.stop()
        step = SHORTEST_PERIOD_S if any(alarm.period_s < MINUTE_S for alarm in self.alarms) else MINUTE_S
        soon = self.clock.now() // step * step + step
        skipped_to = (self.clock.advances_to() - LOOKS_BACK_S) // step * step
        self._timer = self.clock.call_at(max(soon, skipped_to), self._tick)

    def _tick(self) -> None:
        """Do the work of what has ended. A busy loop may call late: each minute's work is done all the same."""
        now = int(self.clock.now())
        step, minute = now // SHORTEST_PERIOD_S * SHORTEST_PERIOD_S, now // MINUTE_S * MINUTE_S
        is_new_minute = minute > self._sampled_at
        if is_new_minute:
            self._sampled_at = minute
            for source in self._sources:
                self._guarded(self._sample, source, minute)
        for alarm in self.alarms:
            if alarm.period_s < MINUTE_S:
                self._guarded(self._evaluate, alarm, step)
            elif is_new_minute:
                self._guarded(self._evaluate, alarm, minute)
        self.schedule()

    @staticmethod
    def _guarded(work: Callable[[Subject, int], None], subject: Subject, now: int) -> None:
        """Do a part of the work of a minute. The boundary: a fault in it must end neither the rest nor the minutes."""
        try:
            work(subject, now)
        except Exception:
            log.exception("cloudwatch.failed")

    def _sample(self, source: Source, end: int) -> None:
        """Read what a service publishes for the minute that ends now."""
        for owner, namespace, one in source(end):
            metric = MetricId(*owner, namespace, one.name, one.dimensions)
            self.metrics.add(metric, one.unit, end - MINUTE_S, one.point)

    def _evaluate(self, alarm: Alarm, now: int) -> None:
        """Evaluate an alarm on the periods that end now. An expression that fails leaves it as it is."""
        period_s, rule = alarm.period_s, alarm.rule
        periods = rule.periods + EXTRA_PERIODS
        start = now - periods * period_s
        owner = Owner(alarm.account, alarm.region)
        queries = Queries(self.metrics, owner, alarm.queries, start=start, end=now, anchor=now)
        try:
            series = queries.series(alarm.result_id)
        except AwsError as exc:
            log.warning("alarm.not_evaluated %s: %s", alarm.arn, exc)
            return
        times = range(start, now, period_s)
        verdict = evaluate([Datum(at, series[at]) if at in series else None for at in times], rule, alarm.state)
        if verdict.state != alarm.state:
            self.alarms.set_state(alarm, verdict, reason_data(alarm, verdict, now))

    def set_alarm_state(self, alarm: Alarm, state: str, reason: str, data: str) -> None:
        """Set the state of an alarm, until the next evaluation."""
        self.alarms.set_state(alarm, Verdict(state, reason), data)

    def _execute(self, alarm: Alarm, before: str, action: str) -> str:
        """Publish the change of an alarm to a topic, and return the message. Raises AwsError."""
        context = {"aws:SourceArn": alarm.arn, "aws:SourceAccount": alarm.account, "aws:SourceOwner": alarm.account}
        message = message_of(alarm, before)
        self._publish_to_topic(action, message, Principal(service=_SERVICE, context=context))
        return str(message["Message"])

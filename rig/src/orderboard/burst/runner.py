"""Runs a burst on a running system: load, faults, samples, drain, verdict.

The generator is a process. The outcome listener, the alert reader and the sampler are threads that put what they
receive into queues, which only the runner's thread empties: so the recorder needs no lock.
"""

import os
import queue
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import psutil
from orderboard_contracts.alert import NotAnAlert, parse_alert

from orderboard.burst.faults.injector import FaultInjector
from orderboard.burst.judge.limits import Limits
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.judge.verdict import End, Judgement, judge
from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.measure.drain import Drain, waits_for
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample, Sampler, every
from orderboard.burst.measure.step_reader import StepReader
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.measure.watchdog import Watchdog
from orderboard.burst.measurement import Plan, RunResult
from orderboard.burst.model import Expectation, ProcessorTime
from orderboard.burst.report.live_view import Now, View
from orderboard.burst.stop import Stop
from orderboard.burst.targets.own_orders import OwnRows, own_evidence, own_ids
from orderboard.ledger.alert_listener import listen_for_alerts
from orderboard.ledger.evidence import final_rows
from orderboard.ledger.ledger import Announcement, Evidence, Outcome
from orderboard.ledger.outcome_listener import OutcomeListener, listen_for_outcomes
from orderboard.ledger.queue_reader import QueueReader
from orderboard.orders.dead_letters import dead_letters
from orderboard.system.process_stats import GENERATOR, THIS_COMMAND, CpuSampler, ProcessorShare
from orderboard.system.state import KnownProcess, known
from orderboard.system.system import System
from orderboard.system.target import AWS_ERRORS

_STEP_EVERY_S: Final = 0.05
_SHOW_EVERY_S: Final = 0.25
_JUDGE_AGAIN_AFTER_S: Final = 1.0
_WATCHDOG_EVERY_S: Final = 1.0
_STEPS_EVERY_S: Final = 1.0
_LISTENER_THREADS: Final = 3
_ALERTS_GATHER_S: Final = 0.5
_ABORTED_WITHIN_S: Final = 3.0
BACKEND_GONE: Final = "the backend has gone"


class Runner:
    """One burst."""

    def __init__(self, system: System, plan: Plan, view: View, stop: Stop | None = None) -> None:
        self._system = system
        self._target = system.target
        self._plan = plan
        self._view = view
        self._stop = stop or Stop()
        self._may_stop = stop is not None
        self._limits = Limits(plan.abort_on_fail)
        self._missed: tuple[Expectation, ...] = ()
        self._stopping = False
        self._recorder = Recorder(plan.streams, shared=plan.shared)
        self._faults = FaultInjector(system, plan.faults, plan.scaling)
        self._timeline = Timeline(self._recorder)
        self._steps = StepReader(system, self._recorder.planned)
        self._outcomes: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
        self._alerts: queue.SimpleQueue[tuple[Announcement, float, datetime]] = queue.SimpleQueue()
        self._announced: dict[str, Announcement] = {}
        self._start = 0.0
        self._sent: Sequence[int] = [0 for _ in plan.streams]
        self._loading = True
        self._shares: tuple[ProcessorShare, ...] = ()
        self._drain = Drain(self._recorder, plan.give_up_after_s, plan.drain_within_s, plan.shared)
        self._own_rows = OwnRows(system.target)
        self._watchdog = Watchdog(system)

    def run(self) -> RunResult:
        """Send everything, apply every fault, wait until everything has ended, and judge."""
        plan, recorder = self._plan, self._recorder
        with ExitStack() as stack:
            listener = stack.enter_context(
                listen_for_outcomes(self._target, self._on_outcome, threads=_LISTENER_THREADS)
            )
            stack.enter_context(self._alerts_read(listener))
            stack.callback(self._faults.close)
            generator = Generator(
                Job(self._target.api(), plan.streams, plan.connections, plan.attempts, plan.api_token)
            )
            stack.callback(generator.stop)
            cpu = CpuSampler(lambda: _processes(self._system, generator))
            sampler = Sampler(self._system, listener.queue, cpu, inbox=self._inbox(listener))
            stack.enter_context(every(plan.sample_every_s, sampler.sample, name="sampler"))
            stack.callback(self._steps.close)
            stack.enter_context(every(_STEPS_EVERY_S, self._steps.read, name="steps"))
            stack.enter_context(every(_WATCHDOG_EVERY_S, self._watchdog.check, name="watchdog"))
            self._start = generator.start()
            cpu.start()
            started_at = time.time() - self._now_s()
            judgement = self._to_the_end(generator, sampler, cpu, listener)
            self._timeline.observe(self._now_s(), sampler.latest, self._faults.workers)
            steps = self._steps.steps(recorder.records(), started_at)
        return RunResult(
            started_at=started_at,
            recorder=recorder,
            timeline=self._timeline.rows(),
            marks=tuple(self._faults.marks),
            requests=sampler.requests(),
            judgement=judgement,
            sent=sum(self._sent),
            load_s=recorder.last_answer_s,
            orders_ended_s=max(self._drain.orders_s, recorder.last_answer_s),
            ended_s=max(self._drain.progress_s, recorder.last_answer_s),
            stopped_by=self._stop.by if self._stopping else "",
            missed=self._missed,
            windows=self._faults.windows.until(self._now_s()),
            first_finish_s=listener.first_outcome_at and listener.first_outcome_at - self._start,
            peak_backlog=self._timeline.peak_backlog,
            processors=self._shares,
            processor_time=_processor_time(cpu),
            steps=steps,
        )

    def _inbox(self, listener: OutcomeListener) -> str:
        """Return the queue from which alerts are read and deleted: the inbox, but not of a system that others use."""
        return f"{listener.queue}-alerts" if self._plan.shared else self._target.outputs.inbox_queue

    def _alerts_read(self, listener: OutcomeListener) -> AbstractContextManager[object]:
        name = self._inbox(listener)
        if self._plan.shared:
            return listen_for_alerts(self._target, name, self._on_alert, gather_s=_ALERTS_GATHER_S)
        url = self._target.queue_url(name)
        return QueueReader(self._target, url, self._on_alert, name="inbox", gather_s=_ALERTS_GATHER_S)

    def _to_the_end(
        self, generator: Generator, sampler: Sampler, cpu: CpuSampler, listener: OutcomeListener
    ) -> Judgement:
        try:
            return self._loop(generator, sampler, cpu, listener)
        except KeyboardInterrupt:
            if not self._may_stop or not self._stop.by:
                raise
            self._abort_load(generator)
            return self._judge(listener, "quit")

    def _loop(self, generator: Generator, sampler: Sampler, cpu: CpuSampler, listener: OutcomeListener) -> Judgement:
        judge_at_s = show_at_s = 0.0
        while True:
            self._receive(generator)
            now_s, sample = self._now_s(), sampler.latest
            if self._watchdog.backend_gone:
                self._faults.mark(now_s, BACKEND_GONE)
                self._view.update(self._now(sample, now_s))
                self._abort_load(generator)
                return self._judge(listener, "backend gone")
            if self._loading and (missed := self._limits.missed(now_s, self._seen)):
                self._missed = missed
                self._stop.request(f"{missed[0].text}, measured {missed[0].measured:g}{missed[0].unit},")
            if self._stop.by and not self._stopping:
                self._stop_load(generator, now_s, self._stop.by)
            if not self._loading and not self._shares:
                cpu.sample()
                self._shares = cpu.shares()
            self._faults.act(now_s, finished=self._recorder.finished)
            self._faults.autoscale(now_s, sample.waiting)
            self._timeline.observe(now_s, sample, self._faults.workers)
            taken_s, pending = sample.taken_at - self._start, bool(self._faults.pending)
            self._drain.observe(sample, taken_s, now_s, faults_pending=pending)
            if now_s >= show_at_s:
                self._view.update(self._now(sample, now_s))
                show_at_s = now_s + _SHOW_EVERY_S
            end = None if self._loading else self._drain.end(sample, taken_s, now_s, faults_pending=pending)
            if end is not None and now_s >= judge_at_s:
                self._view.judging()
                cpu.sample()
                judgement = self._judge(listener, end)
                if judgement.verdict.valid or judgement.end != "drained" or self._drain.settled(now_s):
                    return judgement
                judge_at_s = self._now_s() + _JUDGE_AGAIN_AFTER_S
            time.sleep(_STEP_EVERY_S)

    def _seen(self) -> Seen:
        return Seen(self._recorder.records, self._faults.windows.until(self._now_s()))

    def _stop_load(self, generator: Generator, now_s: float, by: str) -> None:
        """Send no more, and drain. Faults to come are left out; what others began ends now."""
        self._stopping = True
        if self._loading:
            generator.command("stop")
            self._faults.mark(now_s, f"{by} stopped the load")
        self._faults.cut_short(now_s)

    def _abort_load(self, generator: Generator) -> None:
        """End it at once, so that it is known how many orders were sent."""
        generator.command("abort")
        until = time.monotonic() + _ABORTED_WITHIN_S
        while self._loading and time.monotonic() < until:
            self._receive(generator)
            time.sleep(_STEP_EVERY_S)

    def _judge(self, listener: OutcomeListener, end: End) -> Judgement:
        evidence = Evidence(
            final_rows={outcome.order_id: outcome.ended for outcome in listener.outcomes},
            outcomes=listener.outcomes,
            announcements=tuple(self._announced.values()),
        )
        attempts, others = self._recorder.attempts(self._sent), None
        own = own_ids(attempts) if self._plan.shared else frozenset()
        if end not in ("backend gone", "quit"):
            try:
                if self._plan.shared:
                    rows = self._own_rows.read(own)
                else:
                    self._faults.lift()
                    rows = final_rows(self._target)
                letters = tuple(dead_letters(self._target))
                evidence = replace(evidence, final_rows=rows, dead_letters=letters)
            except AWS_ERRORS:
                if self._system.backend_answers():
                    raise
                end = "backend gone"
                self._faults.mark(self._now_s(), BACKEND_GONE)
        if self._plan.shared:
            evidence, others = own_evidence(evidence, own)
        large_order_cents = int(self._target.outputs.large_order_cents)
        return judge(attempts, evidence, large_order_cents=large_order_cents, end=end, others=others)

    def _receive(self, generator: Generator) -> None:
        for update in generator.updates():
            self._sent = update.sent
            for reply in update.replies:
                self._recorder.replied(reply)
            self._loading = self._loading and not update.done
        self._recorder.sent(sum(self._sent), self._now_s())
        while not self._outcomes.empty():
            order_id, at = self._outcomes.get()
            self._recorder.outcome(order_id, at - self._start)
        while not self._alerts.empty():
            announcement, at, occurred_at = self._alerts.get()
            if announcement.alert_id not in self._announced:
                self._announced[announcement.alert_id] = announcement
                self._drain.alerted(at - self._start)
                if not self._plan.shared:  # it may be of another's order
                    self._steps.alerted(occurred_at, at)

    def _now(self, sample: Sample, now_s: float) -> Now:
        return Now(
            at_s=now_s,
            loading=self._loading,
            sent=sum(self._sent),
            recorder=self._recorder,
            timeline=self._timeline,
            sample=sample,
            workers=self._faults.workers,
            marks=tuple(self._faults.marks),
            next_fault=self._faults.pending[0] if self._faults.pending else None,
            alerts=len(self._announced),
            waits_for="" if self._loading else waits_for(self._recorder, sample, self._faults.pending),
            stopping=self._stopping,
        )

    def _now_s(self) -> float:
        return time.monotonic() - self._start

    def _on_outcome(self, outcome: Outcome, at: float) -> None:
        self._outcomes.put((outcome.order_id, at))
        self._steps.outcome(outcome, at)

    def _on_alert(self, body: str, at: float) -> None:
        with suppress(NotAnAlert):  # an alarm
            alert = parse_alert(body)
            self._alerts.put((Announcement(alert.id, alert.kind, alert.order_id), at, alert.occurred_at))


def _processes(system: System, generator: Generator) -> list[KnownProcess]:
    found = [*system.processes(), known(THIS_COMMAND, os.getpid())]
    with suppress(psutil.NoSuchProcess):
        found.append(known(GENERATOR, generator.pid))
    return found


def _processor_time(cpu: CpuSampler) -> ProcessorTime:
    used_s = cpu.used_s()
    rig_s = sum(used_s.pop(name, 0.0) for name in (THIS_COMMAND, GENERATOR))
    return ProcessorTime(system_s=round(sum(used_s.values()), 3), rig_s=round(rig_s, 3))

"""Runs a burst on a running system: load, faults, samples, drain, verdict.

The generator is a process. The outcome listener, the alert reader and the sampler are threads that put what they
receive into queues, which only the runner's thread empties: so the recorder needs no lock.
"""

import queue
import time
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime
from typing import Final

from orderboard_contracts.alert import NotAnAlert, parse_alert

from orderboard.burst.faults.injector import FaultInjector
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.judge.verdict import Judgement
from orderboard.burst.judging import BACKEND_GONE, Judging
from orderboard.burst.measure.drain import Drain, waits_for
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample, Sampler, every
from orderboard.burst.measure.step_reader import StepReader
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.measure.watchdog import Watchdog
from orderboard.burst.measurement import Plan, RunResult
from orderboard.burst.model import ProcessorTime
from orderboard.burst.report.live_view import View
from orderboard.burst.report.now import Now
from orderboard.burst.running_load import STEP_EVERY_S, RunningLoad
from orderboard.burst.stop import STOPPED, Stop
from orderboard.ledger.alert_listener import listen_for_alerts
from orderboard.ledger.ledger import Announcement, Outcome
from orderboard.ledger.outcome_listener import OutcomeListener, listen_for_outcomes
from orderboard.ledger.queue_reader import QueueReader
from orderboard.system.process_stats import GENERATOR, THIS_COMMAND, CpuSampler, ProcessorShare
from orderboard.system.system import System

_SHOW_EVERY_S: Final = 0.25
_JUDGE_AGAIN_AFTER_S: Final = 1.0
_WATCHDOG_EVERY_S: Final = 1.0
_STEPS_EVERY_S: Final = 1.0
_LISTENER_THREADS: Final = 3
_ALERTS_GATHER_S: Final = 0.5


class Runner:
    """One burst."""

    _load: RunningLoad  # from the start of `run` on, as is _judging
    _judging: Judging

    def __init__(self, system: System, plan: Plan, view: View, stop: Stop | None = None) -> None:
        self._system = system
        self._target = system.target
        self._plan = plan
        self._view = view
        self._recorder = Recorder(plan.streams, shared=plan.shared)
        self._stop = stop
        self._faults = FaultInjector(system, plan.faults, plan.scaling)
        self._timeline = Timeline(self._recorder)
        self._steps = StepReader(system, self._recorder.planned)
        self._outcomes: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
        self._alerts: queue.SimpleQueue[tuple[Announcement, float, datetime]] = queue.SimpleQueue()
        self._announced: dict[str, Announcement] = {}
        self._shares: tuple[ProcessorShare, ...] = ()
        self._drain = Drain(self._recorder, plan.give_up_after_s, plan.drain_within_s, plan.shared)
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
            load = self._load = RunningLoad(self._target.api(), plan, recorder, self._stop)
            stack.callback(load.close)
            self._judging = Judging(self._system, plan, recorder, load, self._faults)
            cpu = CpuSampler(lambda: [*self._system.processes(), *load.processes()])
            sampler = Sampler(self._system, listener.queue, cpu, inbox=self._inbox(listener))
            stack.enter_context(every(plan.sample_every_s, sampler.sample, name="sampler"))
            stack.callback(self._steps.close)
            stack.enter_context(every(_STEPS_EVERY_S, self._steps.read, name="steps"))
            stack.enter_context(every(_WATCHDOG_EVERY_S, self._watchdog.check, name="watchdog"))
            load.start()
            cpu.start()
            started_at = time.time() - load.now_s()
            judgement = self._to_the_end(sampler, cpu, listener)
            self._timeline.observe(load.now_s(), sampler.latest, self._faults.workers)
            steps = self._steps.steps(recorder.records(), started_at)
        return RunResult(
            started_at=started_at,
            recorder=recorder,
            timeline=self._timeline.rows(),
            marks=tuple(self._faults.marks),
            requests=sampler.requests(),
            judgement=judgement,
            generators=load.generators(),
            load_s=recorder.last_answer_s,
            orders_ended_s=max(self._drain.orders_s, recorder.last_answer_s),
            ended_s=max(self._drain.progress_s, recorder.last_answer_s),
            stopped_by=load.stopped_by,
            missed=load.missed,
            windows=self._faults.windows.until(load.now_s()),
            first_finish_s=listener.first_outcome_at and listener.first_outcome_at - load.started_at,
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

    def _to_the_end(self, sampler: Sampler, cpu: CpuSampler, listener: OutcomeListener) -> Judgement:
        try:
            return self._loop(sampler, cpu, listener)
        except KeyboardInterrupt:
            if not self._load.interruptible:
                raise
            self._load.abort()
            self._receive()
            return self._judging.judge(listener, self._announced, "quit")

    def _loop(self, sampler: Sampler, cpu: CpuSampler, listener: OutcomeListener) -> Judgement:
        load = self._load
        judge_at_s = show_at_s = 0.0
        while True:
            self._receive()
            now_s, sample = load.now_s(), sampler.latest
            if self._watchdog.backend_gone:
                self._faults.mark(now_s, BACKEND_GONE)
                self._view.update(self._now(sample, now_s))
                load.abort()
                self._receive()
                return self._judging.judge(listener, self._announced, "backend gone")
            if load.loading:
                load.check(now_s, self._seen)
            if by := load.stop_if_asked():
                self._stopped(now_s, by)
            if not load.loading and not self._shares:
                cpu.sample()
                self._shares = cpu.shares()
            self._faults.act(now_s, finished=self._recorder.finished)
            self._faults.autoscale(now_s, sample.waiting)
            self._timeline.observe(now_s, sample, self._faults.workers)
            taken_s, pending = sample.taken_at - load.started_at, bool(self._faults.pending) or self._plan.busy()
            self._drain.observe(sample, taken_s, now_s, faults_pending=pending)
            if now_s >= show_at_s:
                self._view.update(self._now(sample, now_s))
                show_at_s = now_s + _SHOW_EVERY_S
            end = None if load.loading else self._drain.end(sample, taken_s, now_s, faults_pending=pending)
            if end is not None and now_s >= judge_at_s:
                self._view.judging()
                cpu.sample()
                judgement = self._judging.judge(listener, self._announced, end)
                if not judgement.may_change or self._drain.settled(now_s):
                    return judgement
                judge_at_s = load.now_s() + _JUDGE_AGAIN_AFTER_S
            time.sleep(STEP_EVERY_S)

    def _seen(self) -> Seen:
        return Seen(self._recorder.records, self._faults.windows.until(self._load.now_s()))

    def _stopped(self, now_s: float, by: str) -> None:
        """Leave out the faults to come; what others began ends now."""
        if self._load.loading:
            self._faults.mark(now_s, f"{by} {STOPPED}")
        self._faults.cut_short(now_s)

    def _receive(self) -> None:
        self._load.receive()
        while not self._outcomes.empty():
            order_id, at = self._outcomes.get()
            self._recorder.outcome(order_id, at - self._load.started_at)
        while not self._alerts.empty():
            announcement, at, occurred_at = self._alerts.get()
            if announcement.alert_id not in self._announced:
                self._announced[announcement.alert_id] = announcement
                self._drain.alerted(at - self._load.started_at)
                if not self._plan.shared:  # it may be of another's order
                    self._steps.alerted(occurred_at, at)

    def _now(self, sample: Sample, now_s: float) -> Now:
        return Now(
            at_s=now_s,
            loading=self._load.loading,
            sent=self._load.sent,
            recorder=self._recorder,
            timeline=self._timeline,
            sample=sample,
            workers=self._faults.workers,
            marks=tuple(self._faults.marks),
            next_fault=self._faults.pending[0] if self._faults.pending else None,
            alerts=len(self._announced),
            waits_for="" if self._load.loading else waits_for(self._recorder, sample, self._faults.pending),
            stopping=self._load.stopping,
        )

    def _on_outcome(self, outcome: Outcome, at: float) -> None:
        self._outcomes.put((outcome.order_id, at))
        self._steps.outcome(outcome, at)

    def _on_alert(self, body: str, at: float) -> None:
        with suppress(NotAnAlert):  # an alarm
            alert = parse_alert(body)
            self._alerts.put((Announcement(alert.id, alert.kind, alert.order_id), at, alert.occurred_at))


def _processor_time(cpu: CpuSampler) -> ProcessorTime:
    used_s = cpu.used_s()
    rig_s = sum(used_s.pop(name) for name in [*used_s] if name.startswith((THIS_COMMAND, GENERATOR)))
    return ProcessorTime(system_s=round(sum(used_s.values()), 3), rig_s=round(rig_s, 3))

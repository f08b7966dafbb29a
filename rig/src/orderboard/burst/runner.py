"""Conducts a burst on a running system: load, faults, samples, drain, verdict. One thread but for the looking.

The generator is a process; the witness, the inbox reader and the sampler are threads that leave what they see in
queues, which only the conductor empties. So the book needs no lock.
"""

import os
import queue
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Final

import psutil
from orderboard_contracts.alert import NotAnAlert, parse_alert

from orderboard.burst.chaos.schedule import Fault
from orderboard.burst.chaos.workers import Workers
from orderboard.burst.judge.verdict import End, judge
from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.measure.recorder import Book
from orderboard.burst.measure.sampler import Sample, Sampler
from orderboard.burst.measure.watchdog import Lookout
from orderboard.burst.mix import Orders
from orderboard.burst.model import FaultMark, Moment, Verdict
from orderboard.burst.report.cost import Counted
from orderboard.burst.report.live_view import Now, View
from orderboard.burst.timeline import Timeline
from orderboard.ledger.evidence import final_rows
from orderboard.ledger.ledger import Announcement, Evidence, Outcome
from orderboard.ledger.outcome_listener import OutcomeListener, listen_for_outcomes
from orderboard.ledger.queue_reader import QueueReader
from orderboard.orders.dead_letters import dead_letters
from orderboard.orders.queues import Depth
from orderboard.system.backends import listens
from orderboard.system.process_stats import CpuSampler, ProcessorShare
from orderboard.system.state import KnownProcess, known
from orderboard.system.system import System
from orderboard.system.target import AWS_ERRORS

_LOOK_EVERY_S: Final = 0.05
_SHOW_EVERY_S: Final = 0.25
_JUDGE_AGAIN_AFTER_S: Final = 1.0
# With every queue empty, what is missing after this long is lost.
_SETTLED_AFTER_S: Final = 10.0
_WITNESS_THREADS: Final = 3


@dataclass(frozen=True)
class Plan:
    """What is sent when, and what is done to the workers meanwhile."""

    orders: Orders
    times_s: Sequence[float]
    seed: int
    run: str
    connections: int
    faults: tuple[Fault, ...]
    give_up_after_s: float  # when nothing moves any more


@dataclass(frozen=True)
class Played:
    """What came of it, before it is summed up. Seconds count from the start, which is started_at of time.time()."""

    started_at: float
    book: Book
    timeline: tuple[Moment, ...]
    marks: tuple[FaultMark, ...]
    counted: tuple[Counted, ...]
    verdict: Verdict
    end: End
    sent: int
    load_s: float
    ended_s: float
    peak_backlog: int
    processors: tuple[ProcessorShare, ...]  # over the load


class Conductor:
    """One burst."""

    def __init__(self, system: System, plan: Plan, view: View) -> None:
        self._system = system
        self._target = system.target
        self._plan = plan
        self._view = view
        self._book = Book(plan.orders.intents(seed=plan.seed, run=plan.run, orders=len(plan.times_s)), plan.times_s)
        self._workers = Workers(system, plan.faults)
        self._outcomes: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
        self._alerts: queue.SimpleQueue[tuple[Announcement, float]] = queue.SimpleQueue()
        self._announced: dict[str, Announcement] = {}
        self._timeline = Timeline(self._book)
        self._start = 0.0
        self._sent = 0
        self._loaded = False
        self._shares: tuple[ProcessorShare, ...] = ()
        self._moved_s = 0.0
        self._stirred_s = 0.0
        self._dead_letters = 0
        self._depths: Mapping[str, Depth] = {}

    def play(self) -> Played:
        """Send everything, do everything, wait until everything has ended, and judge."""
        with ExitStack() as stack:
            heard = stack.enter_context(listen_for_outcomes(self._target, self._told, threads=_WITNESS_THREADS))
            inbox_url = self._target.queue_url(self._target.outputs.inbox_queue)
            inbox = QueueReader(self._target, inbox_url, self._read_alert, name="inbox")
            inbox.start()
            stack.callback(inbox.stop)
            stack.callback(self._workers.close)
            plan = self._plan
            generator = Generator(
                Job(self._target.api(), plan.orders, plan.seed, plan.run, plan.times_s, plan.connections)
            )
            stack.callback(generator.stop)
            processors = CpuSampler(lambda: _processes(self._system, generator))
            sampler = Sampler(self._target, heard.queue, lambda: self._system.services, processors)
            sampler.start()
            stack.callback(sampler.stop)
            lookout = Lookout(self._target.endpoint)
            lookout.start()
            stack.callback(lookout.stop)
            self._start = generator.begin()
            processors.start()
            started_at = time.time() - self._now_s()
            verdict, end = self._conduct(generator, sampler, lookout, processors, heard)
            self._timeline.sample(self._now_s(), sampler.latest, self._workers.count)
        book = self._book
        return Played(
            started_at=started_at,
            book=book,
            timeline=self._timeline.moments(),
            marks=tuple(self._workers.marks),
            counted=tuple(sampler.counted()),
            verdict=verdict,
            end=end,
            sent=self._sent,
            load_s=book.last_answer_s,
            ended_s=max(self._moved_s, book.last_answer_s),
            peak_backlog=self._timeline.peak_backlog,
            processors=self._shares,
        )

    def _conduct(
        self, generator: Generator, sampler: Sampler, lookout: Lookout, processors: CpuSampler, heard: OutcomeListener
    ) -> tuple[Verdict, End]:
        judge_at = show_at = 0.0
        while True:
            self._take_in(generator)
            if lookout.backend_gone:
                return self._gone(sampler.latest, heard)
            if self._loaded and not self._shares:
                processors.sample()
                self._shares = processors.shares()
            now_s = self._now_s()
            self._workers.act(now_s)
            sample = sampler.latest
            self._timeline.sample(now_s, sample, self._workers.count)
            self._note_movement(sample, now_s)
            if now_s >= show_at:
                self._view.update(self._now(sample, now_s))
                show_at = now_s + _SHOW_EVERY_S
            if self._loaded and not self._workers.pending and now_s >= judge_at:
                still_s = now_s - self._stirred_s
                given_up = still_s > self._plan.give_up_after_s
                if given_up or self._all_seems_done(sample, still_s):
                    self._view.looking()
                    verdict, end = self._judge(heard, "given up" if given_up else "drained")
                    if verdict.valid or end != "drained" or still_s > _SETTLED_AFTER_S:
                        return verdict, end
                    judge_at = self._now_s() + _JUDGE_AGAIN_AFTER_S
            time.sleep(_LOOK_EVERY_S)

    def _gone(self, sample: Sample, heard: OutcomeListener) -> tuple[Verdict, End]:
        now_s = self._now_s()
        self._workers.mark(now_s, "the backend has gone")
        self._view.update(self._now(sample, now_s))
        return self._judge(heard, "backend gone")

    def _all_seems_done(self, sample: Sample, still_s: float) -> bool:
        """Whether every queue was empty after the last thing happened, and every order is accounted for or overdue."""
        fresh = sample.taken_at - self._start > max(self._book.last_finish_s, self._book.last_answer_s)
        return fresh and sample.idle and (self._book.unfinished == 0 or still_s > _SETTLED_AFTER_S)

    def _judge(self, heard: OutcomeListener, end: End) -> tuple[Verdict, End]:
        evidence = Evidence(
            final_rows={outcome.order_id: outcome.ended for outcome in heard.outcomes},
            outcomes=heard.outcomes,
            announcements=tuple(self._announced.values()),
        )
        if end != "backend gone":
            try:
                rows, letters = final_rows(self._target), tuple(dead_letters(self._target))
                evidence = replace(evidence, final_rows=rows, dead_letters=letters)
            except AWS_ERRORS:
                if listens(self._target.endpoint):
                    raise
                end = "backend gone"
        large_order_cents = int(self._target.outputs.large_order_cents)
        return judge(self._book.attempts(), evidence, large_order_cents=large_order_cents, end=end), end

    def _take_in(self, generator: Generator) -> None:
        for told in generator.told():
            self._sent = told.sent
            self._book.sent(told.sent, self._now_s())
            for reply in told.replies:
                self._book.replied(reply)
            self._loaded = self._loaded or told.done
        if self._loaded:
            self._book.sent(self._sent, self._now_s())
        while not self._outcomes.empty():
            order_id, at = self._outcomes.get()
            self._book.heard(order_id, at - self._start)
        while not self._alerts.empty():
            announcement, at = self._alerts.get()
            if announcement.alert_id not in self._announced:
                self._announced[announcement.alert_id] = announcement
                self._moved_s = max(self._moved_s, at - self._start)

    def _note_movement(self, sample: Sample, now_s: float) -> None:
        """Keep when something last ended (that ends the drain), and when anything last stirred (that gives hope)."""
        book, taken_s = self._book, sample.taken_at - self._start
        if sample.dead_letters > self._dead_letters:
            self._moved_s = max(self._moved_s, taken_s)
        if sample.depths != self._depths or self._workers.pending:
            self._stirred_s = now_s
        self._dead_letters, self._depths = sample.dead_letters, sample.depths
        self._moved_s = max(self._moved_s, book.last_finish_s, book.last_answer_s)
        self._stirred_s = max(self._stirred_s, self._moved_s)

    def _now(self, sample: Sample, now_s: float) -> Now:
        return Now(
            at_s=now_s,
            loading=not self._loaded,
            sent=self._sent,
            book=self._book,
            sample=sample,
            workers=self._workers.count,
            marks=tuple(self._workers.marks),
            next_fault=self._workers.pending[0] if self._workers.pending else None,
            alerts=len(self._announced),
        )

    def _now_s(self) -> float:
        return time.monotonic() - self._start

    def _told(self, outcome: Outcome) -> None:
        self._outcomes.put((outcome.order_id, time.monotonic()))

    def _read_alert(self, body: str) -> None:
        try:
            alert = parse_alert(body)
        except NotAnAlert:  # an alarm
            return
        self._alerts.put((Announcement(alert.id, alert.kind, alert.order_id), time.monotonic()))


def _processes(system: System, generator: Generator) -> list[KnownProcess]:
    found = [*system.processes(), known("this command", os.getpid())]
    with suppress(psutil.NoSuchProcess):
        found.append(known("generator", generator.pid))
    return found

"""Runs a burst against order-api alone: load and answers, without a look at its stack."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

import psutil

from orderboard.burst.judge.answers import judge_answers
from orderboard.burst.judge.limits import Limits
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample, every
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.measurement import Plan, RunResult
from orderboard.burst.model import Expectation, FaultMark, ProcessorTime, TimelineRow
from orderboard.burst.report.live_view import Now, View
from orderboard.burst.stop import Stop
from orderboard.system.process_stats import GENERATOR, THIS_COMMAND, CpuSampler
from orderboard.system.state import KnownProcess, known

_STEP_EVERY_S: Final = 0.05
_SHOW_EVERY_S: Final = 0.25
_ABORTED_WITHIN_S: Final = 3.0


class AnswersRunner:
    """One burst."""

    def __init__(self, api_url: str, plan: Plan, view: View, stop: Stop | None = None) -> None:
        self._api_url, self._plan, self._view = api_url, plan, view
        self._stop, self._may_stop = stop or Stop(), stop is not None
        self._recorder = Recorder(plan.streams)
        self._timeline = Timeline(self._recorder)
        self._limits = Limits(plan.abort_on_fail)
        self._missed: tuple[Expectation, ...] = ()
        self._marks: list[FaultMark] = []
        self._sent: Sequence[int] = [0 for _ in plan.streams]
        self._start = 0.0
        self._loading, self._stopping = True, False

    def run(self) -> RunResult:
        """Send everything, and judge once it is answered."""
        plan, recorder = self._plan, self._recorder
        with ExitStack() as stack:
            generator = Generator(Job(self._api_url, plan.streams, plan.connections, plan.attempts, plan.api_token))
            stack.callback(generator.stop)
            cpu = CpuSampler(lambda: _processes(generator))
            stack.enter_context(every(plan.sample_every_s, cpu.sample, name="sampler"))
            self._start = generator.start()
            cpu.start()
            started_at = time.time() - self._now_s()
            try:
                self._loop(generator)
            except KeyboardInterrupt:
                if not self._may_stop or not self._stop.by:
                    raise
                self._abort(generator)
            cpu.sample()
            used_s = cpu.used_s()
        return RunResult(
            started_at=started_at,
            recorder=recorder,
            timeline=tuple(map(_without_ends, self._timeline.rows())),
            marks=tuple(self._marks),
            requests={},
            judgement=judge_answers(recorder.attempts(self._sent)),
            sent=sum(self._sent),
            load_s=recorder.last_answer_s,
            orders_ended_s=recorder.last_answer_s,
            ended_s=recorder.last_answer_s,
            stopped_by=self._stop.by if self._stopping else "",
            missed=self._missed,
            windows=(),
            steps=None,
            first_finish_s=None,
            peak_backlog=0,
            processors=cpu.shares(),
            processor_time=ProcessorTime(system_s=0.0, rig_s=round(sum(used_s.values()), 3)),
        )

    def _loop(self, generator: Generator) -> None:
        show_at_s = 0.0
        while self._loading:
            self._receive(generator)
            now_s = self._now_s()
            if missed := self._limits.missed(now_s, lambda: Seen(self._recorder.records)):
                self._missed = missed
                self._stop.request(f"{missed[0].text}, measured {missed[0].measured:g}{missed[0].unit},")
            if self._stop.by and not self._stopping:
                self._stopping = True
                generator.command("stop")
                self._marks.append(FaultMark(at_s=round(now_s, 3), text=f"{self._stop.by} stopped the load"))
            self._timeline.observe(now_s, Sample(time.monotonic()), 0)
            if now_s >= show_at_s or not self._loading:
                self._view.update(self._now(now_s))
                show_at_s = now_s + _SHOW_EVERY_S
            time.sleep(_STEP_EVERY_S)

    def _abort(self, generator: Generator) -> None:
        generator.command("abort")
        until = time.monotonic() + _ABORTED_WITHIN_S
        while self._loading and time.monotonic() < until:
            self._receive(generator)
            time.sleep(_STEP_EVERY_S)

    def _receive(self, generator: Generator) -> None:
        for update in generator.updates():
            self._sent = update.sent
            for reply in update.replies:
                self._recorder.replied(reply)
            self._loading = self._loading and not update.done
        self._recorder.sent(sum(self._sent), self._now_s())

    def _now(self, now_s: float) -> Now:
        return Now(
            at_s=now_s,
            loading=self._loading,
            sent=sum(self._sent),
            recorder=self._recorder,
            timeline=self._timeline,
            sample=Sample(time.monotonic()),
            workers=0,
            marks=tuple(self._marks),
            next_fault=None,
            alerts=0,
            waits_for="",
            stopping=self._stopping,
        )

    def _now_s(self) -> float:
        return time.monotonic() - self._start


def _without_ends(row: TimelineRow) -> TimelineRow:
    return row.model_copy(update={"unfinished": 0, "oldest_age_s": None})


def _processes(generator: Generator) -> list[KnownProcess]:
    found = [known(THIS_COMMAND, os.getpid())]
    with suppress(psutil.NoSuchProcess):
        found.append(known(GENERATOR, generator.pid))
    return found

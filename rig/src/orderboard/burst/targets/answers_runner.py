"""Runs a burst against order-api alone: load and answers, without a look at its stack."""

import time
from contextlib import ExitStack
from typing import Final

from orderboard.burst.judge.answers import judge_answers
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample, every
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.measurement import Plan, RunResult
from orderboard.burst.model import FaultMark, ProcessorTime, TimelineRow
from orderboard.burst.report.live_view import View
from orderboard.burst.report.now import Now
from orderboard.burst.running_load import STEP_EVERY_S, RunningLoad
from orderboard.burst.stop import STOPPED, Stop
from orderboard.system.process_stats import CpuSampler

_SHOW_EVERY_S: Final = 0.25


class AnswersRunner:
    """One burst."""

    _load: RunningLoad  # from the start of `run` on

    def __init__(self, api_url: str, plan: Plan, view: View, stop: Stop | None = None) -> None:
        self._plan, self._view = plan, view
        self._recorder = Recorder(plan.streams)
        self._api_url, self._stop = api_url, stop
        self._timeline = Timeline(self._recorder)
        self._marks: list[FaultMark] = []

    def run(self) -> RunResult:
        """Send everything, and judge once it is answered."""
        plan, recorder = self._plan, self._recorder
        with ExitStack() as stack:
            load = self._load = RunningLoad(self._api_url, plan, recorder, self._stop)
            stack.callback(load.close)
            cpu = CpuSampler(load.processes)
            stack.enter_context(every(plan.sample_every_s, cpu.sample, name="sampler"))
            load.start()
            cpu.start()
            started_at = time.time() - load.now_s()
            try:
                self._loop()
            except KeyboardInterrupt:
                if not load.interruptible:
                    raise
                load.abort()
            cpu.sample()
            used_s, generators = cpu.used_s(), load.generators()
        return RunResult(
            started_at=started_at,
            recorder=recorder,
            timeline=tuple(map(_without_ends, self._timeline.rows())),
            marks=tuple(self._marks),
            requests={},
            judgement=judge_answers(
                recorder.attempts(recorder.sent_at_most(generators, ())), sum(bool(each.ended) for each in generators)
            ),
            generators=generators,
            load_s=recorder.last_answer_s,
            orders_ended_s=recorder.last_answer_s,
            ended_s=recorder.last_answer_s,
            stopped_by=load.stopped_by,
            missed=load.missed,
            windows=(),
            steps=None,
            first_finish_s=None,
            peak_backlog=0,
            processors=cpu.shares(),
            processor_time=ProcessorTime(system_s=0.0, rig_s=round(sum(used_s.values()), 3)),
        )

    def _loop(self) -> None:
        load, show_at_s = self._load, 0.0
        while load.loading:
            load.receive()
            now_s = load.now_s()
            load.check(now_s, lambda: Seen(self._recorder.records))
            if by := load.stop_if_asked():
                self._marks.append(FaultMark(at_s=round(now_s, 3), text=f"{by} {STOPPED}"))
            self._timeline.observe(now_s, Sample(time.monotonic()), 0)
            if now_s >= show_at_s or not load.loading:
                self._view.update(self._now(now_s))
                show_at_s = now_s + _SHOW_EVERY_S
            time.sleep(STEP_EVERY_S)

    def _now(self, now_s: float) -> Now:
        return Now(
            at_s=now_s,
            loading=self._load.loading,
            sent=self._load.sent,
            recorder=self._recorder,
            timeline=self._timeline,
            sample=Sample(time.monotonic()),
            workers=0,
            marks=tuple(self._marks),
            next_fault=None,
            alerts=0,
            waits_for="",
            stopping=self._load.stopping,
            answers_only=True,
        )


def _without_ends(row: TimelineRow) -> TimelineRow:
    return row.model_copy(update={"unfinished": 0, "oldest_age_s": None})

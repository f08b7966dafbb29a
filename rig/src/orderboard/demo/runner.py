"""The morning rush as a burst on a new system. `cli.demo` prints the result."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard import STARTED_AT
from orderboard.burst.faults.schedule import Fault
from orderboard.burst.judge.verdict import Judgement
from orderboard.burst.load.arrivals import Constant, send_times
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measurement import Plan
from orderboard.burst.report.now import Now
from orderboard.burst.runner import Runner
from orderboard.demo.scenario import COUNTS, MorningRush
from orderboard.errors import RigError
from orderboard.system.process_stats import MemoryUse
from orderboard.system.system import System
from orderboard.terminal.progress import Screen, Task

_LOAD_S: Final = 1.0
# Few, so that a cancellation does not wait behind many orders.
_CONNECTIONS: Final = 20
_ATTEMPTS: Final = 8
_SAMPLE_EVERY_S: Final = 0.2


@dataclass(frozen=True)
class DemoResult:
    """The judgement of a demo. Seconds count from the start of the command. kept: its system runs on."""

    seed: int
    judgement: Judgement
    ready_after_s: float
    first_finished_after_s: float | None
    all_finished_after_s: float
    memory: tuple[MemoryUse, ...]
    logs_dir: Path | None  # kept only when the ledger does not balance
    kept: bool = False


def run_demo(
    system: System, screen: Screen, *, seed: int, kill_worker: bool, deadline_s: float, name: str
) -> DemoResult:
    """Send the rush to a system that has just started, and judge.

    deadline_s: how long orders may take to end after the last was answered. name: of this run, in its orders' keys.
    """
    ready_at = time.time()
    logs_dir = system.options.services.logs_dir
    times_s = send_times(Constant(), orders=sum(COUNTS.values()), duration_s=_LOAD_S, seed=seed)
    plan = Plan(
        streams=(Stream(MorningRush(), Open(times_s), seed, name),),
        connections=_CONNECTIONS,
        attempts=_ATTEMPTS,
        faults=(Fault(0.0, "kill-worker", after_finished=1),) if kill_worker else (),
        drain_within_s=deadline_s,
        sample_every_s=_SAMPLE_EVERY_S,
    )
    with ExitStack() as tasks:
        run = Runner(system, plan, _Progress(screen, tasks, len(times_s))).run()
    judgement = run.judgement
    if judgement.end == "backend gone":
        raise RigError(f"The backend ended while orders were in progress. Logs: {logs_dir}")
    started_after_s = run.started_at - STARTED_AT
    return DemoResult(
        seed=seed,
        judgement=judgement,
        ready_after_s=ready_at - STARTED_AT,
        first_finished_after_s=None if run.first_finish_s is None else started_after_s + run.first_finish_s,
        all_finished_after_s=started_after_s + run.ended_s,
        memory=system.memory(),
        logs_dir=None if judgement.ledger.balanced else logs_dir,
    )


class _Progress:
    """The view of the rush: a bar for the answers, then one for the orders that ended."""

    def __init__(self, screen: Screen, tasks: ExitStack, orders: int) -> None:
        self._screen, self._tasks = screen, tasks
        self._answered: Task = tasks.enter_context(screen.task("Orders answered", total=orders))
        self._ended: Task | None = None
        self._shown_marks = 0

    def update(self, now: Now) -> None:
        """Advance the bars."""
        recorder = now.recorder
        for mark in now.marks[self._shown_marks :]:
            self._screen.say(mark.text)
        self._shown_marks = len(now.marks)
        self._answered.advance_to(recorder.answered)
        if now.loading:
            return
        if self._ended is None:
            self._tasks.close()
            self._ended = self._tasks.enter_context(self._screen.task("Orders ended", total=recorder.accepted))
        self._ended.advance_to(min(recorder.finished + now.sample.dead_letters, recorder.accepted))

    def judging(self) -> None:
        """Nothing to show: it takes a moment."""

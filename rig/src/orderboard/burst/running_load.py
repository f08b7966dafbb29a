"""The load of a burst while it is sent: what was sent and answered, its thresholds, and how it is ended early."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil

from orderboard.burst.judge.limits import Limits
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.load.generator import Command, Job
from orderboard.burst.load.handle import GeneratorHandle, start_together
from orderboard.burst.measure.generators import GeneratorRun
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measurement import Plan
from orderboard.burst.model import Expectation
from orderboard.burst.stop import Stop
from orderboard.system.process_stats import GENERATOR, THIS_COMMAND
from orderboard.system.state import KnownProcess, known

STEP_EVERY_S: Final = 0.05  # between two looks at what the generators report
_ABORTED_WITHIN_S: Final = 3.0
_REPORTS_WITHIN_S: Final = 20.0  # it reports ten times a second


@dataclass
class _Sending:
    """A generator and its reports. over_s: when it was done, or ended before that. silent_s: since its last report."""

    handle: GeneratorHandle
    sent: tuple[int, ...]
    done: bool = False
    problem: str = ""
    processor_s: float = 0.0
    over_s: float = 0.0
    silent_s: float = 0.0


class RunningLoad:
    """The generators, which wait for `start` and share the plan. The end of one stops all.

    missed: the thresholds that ended it. stop: None if only Ctrl-C ends it.
    """

    def __init__(self, api_url: str, plan: Plan, recorder: Recorder, stop: Stop | None) -> None:
        self._recorder = recorder
        self._stop, self._may_stop = stop or Stop(), stop is not None
        self._limits = Limits(plan.abort_on_fail)
        job = Job(api_url, plan.streams, plan.connections, plan.attempts, plan.api_token)
        nothing = tuple(0 for _ in plan.streams)
        self._sending = [_Sending(each, nothing) for each in plan.start_generators(job.split(plan.generators))]
        self.missed: tuple[Expectation, ...] = ()
        self.loading, self.stopping = True, False
        self.started_at = self._received_at = 0.0  # of time.monotonic

    def start(self) -> None:
        """Send the first order; the time of the burst begins."""
        self.started_at = self._received_at = start_together([each.handle for each in self._sending])

    def close(self) -> None:
        """End the generators."""
        for each in self._sending:
            each.handle.stop()

    def now_s(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started_at

    @property
    def sent(self) -> int:
        """The number of orders that all generators have reported as sent."""
        return sum(sum(each.sent) for each in self._sending)

    def generators(self) -> Sequence[GeneratorRun]:
        """Return each generator as it has reported."""
        return [
            GeneratorRun(
                each.sent,
                machine=each.handle.machine,
                cores=round(each.processor_s / each.over_s, 3) if each.over_s > 0 else None,
                clock_error_s=each.handle.clock_error_s,
                ended=each.problem,
                ended_s=each.over_s if each.problem else None,
            )
            for each in self._sending
        ]

    def receive(self) -> None:
        """Record what the generators have reported since the last time."""
        now = time.monotonic()
        passed_s, self._received_at = min(now - self._received_at, 1.0), now  # no more: this process may be suspended
        for each in self._sending:
            problem = each.handle.problem  # first: what it reported before its end counts
            updates = each.handle.updates()
            each.silent_s = 0.0 if updates else each.silent_s + passed_s
            if each.silent_s > _REPORTS_WITHIN_S and not (each.done or each.problem):
                problem = problem or f"no report for {_REPORTS_WITHIN_S:g} s"
                each.handle.stop()
            for update in updates:
                each.sent, each.processor_s, each.done = update.sent, update.processor_s, update.done
                for reply in update.replies:
                    self._recorder.replied(reply)
            if not (each.done and each.over_s) and not each.problem:
                each.over_s = self.now_s()
                each.problem = "" if each.done else problem
        self.loading = not all(each.done or each.problem for each in self._sending)
        self._recorder.sent(self.sent, self.now_s())
        for number, each in enumerate(self._sending, 1):
            if each.problem:
                self._stop.request(f"The end of generator {number}")

    def check(self, now_s: float, seen: Callable[[], Seen]) -> None:
        """Ask for the end of the load if a threshold is missed."""
        if missed := self._limits.missed(now_s, seen):
            self.missed = missed
            self._stop.request(f"{missed[0].text}, measured {missed[0].in_words},")

    def stop_if_asked(self) -> str:
        """Send no more if somebody asked for it; return who or what did, once."""
        if not self._stop.by or self.stopping:
            return ""
        self.stopping = True
        if self.loading:
            self._command("stop")
        return self._stop.by

    def abort(self) -> None:
        """End it at once, so that it is known how many orders were sent."""
        self._command("abort")
        until = time.monotonic() + _ABORTED_WITHIN_S
        while self.loading and time.monotonic() < until:
            self.receive()
            time.sleep(STEP_EVERY_S)

    @property
    def interruptible(self) -> bool:
        """True if a KeyboardInterrupt is a second request to stop, after which what is known is judged."""
        return self._may_stop and bool(self._stop.by)

    @property
    def stopped_by(self) -> str:
        """The reason why it was stopped; empty if it was not."""
        return self._stop.by if self.stopping else ""

    def processes(self) -> list[KnownProcess]:
        """Return the processes of the rig: this command and the generators on this machine."""
        found = [known(THIS_COMMAND, os.getpid())]
        for number, each in enumerate(self._sending, 1):
            if (pid := each.handle.pid) is not None:
                with suppress(psutil.NoSuchProcess):
                    found.append(known(GENERATOR if len(self._sending) == 1 else f"{GENERATOR} {number}", pid))
        return found

    def _command(self, command: Command) -> None:
        for each in self._sending:
            each.handle.command(command)

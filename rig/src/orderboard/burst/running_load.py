"""The load of a burst while it is sent: what was sent and answered, its thresholds, and how it is ended early."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import psutil

from orderboard.burst.judge.limits import Limits
from orderboard.burst.judge.thresholds import Seen
from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measurement import Plan
from orderboard.burst.model import Expectation
from orderboard.burst.stop import Stop
from orderboard.system.process_stats import GENERATOR, THIS_COMMAND
from orderboard.system.state import KnownProcess, known

STEP_EVERY_S: Final = 0.05  # between two looks at what the generator reports
_ABORTED_WITHIN_S: Final = 3.0


class RunningLoad:
    """The generator's process, which waits for `start`.

    sent: the orders of each stream. missed: the thresholds that ended it. stop: None if only Ctrl-C ends it.
    """

    def __init__(self, api_url: str, plan: Plan, recorder: Recorder, stop: Stop | None) -> None:
        self._recorder = recorder
        self._stop, self._may_stop = stop or Stop(), stop is not None
        self._limits = Limits(plan.abort_on_fail)
        self._generator = Generator(Job(api_url, plan.streams, plan.connections, plan.attempts, plan.api_token))
        self.missed: tuple[Expectation, ...] = ()
        self.sent: Sequence[int] = [0 for _ in plan.streams]
        self.loading, self.stopping = True, False
        self.started_at = 0.0  # of time.monotonic

    def start(self) -> None:
        """Send the first order; the time of the burst begins."""
        self.started_at = self._generator.start()

    def close(self) -> None:
        """End the generator's process."""
        self._generator.stop()

    def now_s(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started_at

    def receive(self) -> None:
        """Record what the generator has reported since the last time."""
        for update in self._generator.updates():
            self.sent = update.sent
            for reply in update.replies:
                self._recorder.replied(reply)
            self.loading = self.loading and not update.done
        self._recorder.sent(sum(self.sent), self.now_s())

    def check(self, now_s: float, seen: Callable[[], Seen]) -> None:
        """Ask for the end of the load if a threshold is missed."""
        if missed := self._limits.missed(now_s, seen):
            self.missed = missed
            self._stop.request(f"{missed[0].text}, measured {missed[0].measured:g}{missed[0].unit},")

    def stop_if_asked(self) -> str:
        """Send no more if somebody asked for it; return who or what did, once."""
        if not self._stop.by or self.stopping:
            return ""
        self.stopping = True
        if self.loading:
            self._generator.command("stop")
        return self._stop.by

    def abort(self) -> None:
        """End it at once, so that it is known how many orders were sent."""
        self._generator.command("abort")
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
        """Return the processes of the rig: this command and the generator."""
        found = [known(THIS_COMMAND, os.getpid())]
        with suppress(psutil.NoSuchProcess):
            found.append(known(GENERATOR, self._generator.pid))
        return found

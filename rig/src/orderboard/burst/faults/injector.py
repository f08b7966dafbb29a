"""Applies the schedule of faults to the system, and records what was done to it and what happened to it."""

from collections.abc import Sequence

from orderboard.burst.faults.engine import Engine
from orderboard.burst.faults.schedule import Fault
from orderboard.burst.faults.services import Services
from orderboard.burst.faults.target_tracking import ScalingPolicy, TargetTracking
from orderboard.burst.judge.phases import Windows
from orderboard.burst.model import FaultMark
from orderboard.system.fault_settings import NONE
from orderboard.system.system import System


class FaultInjector:
    """The faults to come, and the marks of those that came. Use it on the main thread; see process.start."""

    def __init__(self, system: System, faults: Sequence[Fault], scaling: ScalingPolicy | None = None) -> None:
        self._due = sorted(faults, key=lambda fault: fault.at_s)
        self._postponed: list[Fault] = []
        self._services = Services(system, self.mark)
        self._engine = Engine(system, self.mark)
        self.marks: list[FaultMark] = []
        self.windows = Windows()
        self._scaling = None if scaling is None else TargetTracking(scaling)

    @property
    def workers(self) -> int:
        """The number of workers that run and are not frozen."""
        return self._services.workers

    @property
    def pending(self) -> Sequence[Fault]:
        """The faults to come, the next first."""
        return [*self._postponed, *self._due]

    def act(self, now_s: float, *, finished: int = 0) -> None:
        """Apply every fault that is due; then replace services that have ended. finished: orders so far.

        A fault that finds no backend, as another killed it, waits for the next one.
        """
        due, self._postponed = self._postponed, []
        while self._due and self._due[0].at_s <= now_s and self._due[0].after_finished <= finished:
            due.append(self._due.pop(0))
        for fault in due:
            self._apply(fault, now_s)
        self._engine.keep_up(now_s)
        self._services.replace_ended(now_s)

    def autoscale(self, now_s: float, waiting: int) -> None:
        """Let the policy see how many messages wait. It sees nothing while all workers are stopped or frozen."""
        if self._scaling is None or not self.workers:
            return
        scaling = self._scaling.observe(now_s, waiting=waiting, workers=self.workers)
        if scaling is not None:
            fault = Fault(now_s, "scale", scaling.workers)
            self._services.apply(fault)
            self.mark(now_s, f"{fault}, as {scaling.backlog_per_worker:,.0f} messages waited for each")

    def cut_short(self, now_s: float) -> None:
        """Leave out the faults to come, and end at once what began. The number of workers stays."""
        pending, to_come = self.pending, set()
        self._due, self._postponed = [], []
        for fault in pending:
            if not fault.is_end:
                to_come.add(fault.action)
            elif fault.settings == NONE or fault.undoes not in to_come:
                self._apply(fault, now_s)

    def _apply(self, fault: Fault, now_s: float) -> None:
        if not fault.needs_embedded:
            self._services.apply(fault)
        elif not self._engine.apply(fault, now_s):
            self._postponed.append(fault)
            return
        self.windows.applied(fault, now_s)
        self.marks.append(FaultMark(at_s=round(now_s, 3), text=str(fault), fault=None if fault.is_end else fault.kind))

    def mark(self, now_s: float, text: str) -> None:
        """Record an event of the system."""
        self.marks.append(FaultMark(at_s=round(now_s, 3), text=text))

    def lift(self) -> None:
        """End what the backend injects, so that evidence can be read."""
        self._engine.lift()

    def close(self) -> None:
        """Leave the services as they can be stopped."""
        self._services.close()
        self._engine.close()

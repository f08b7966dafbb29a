"""Does to the workers what the schedule of faults says, without ever waiting for one."""

import signal
from collections.abc import Sequence

from orderboard.burst.faults import (
    Fault,
    FreezeWorkers,
    KillWorker,
    ScaleWorkers,
    StartWorkers,
    StopWorkers,
    ThawWorkers,
)
from orderboard.burst.model import FaultMark
from orderboard.services import Service
from orderboard.system import System


class Workers:
    """The workers of a system, and what is still to be done to them. Use it on the main thread; see process.start."""

    def __init__(self, system: System, faults: Sequence[Fault]) -> None:
        self._system = system
        self._due = sorted(faults, key=lambda fault: fault.at_s)
        self._at_work = list(system.services[1:])
        self._wanted = len(self._at_work)
        self._frozen = False
        self.marks: list[FaultMark] = []

    @property
    def count(self) -> int:
        """How many run and are not frozen."""
        return 0 if self._frozen else sum(service.process.running() for service in self._at_work)

    @property
    def pending(self) -> Sequence[Fault]:
        """What is still to come, the next first."""
        return self._due

    def act(self, now_s: float) -> None:
        """Do everything that is due."""
        while self._due and self._due[0].at_s <= now_s:
            fault = self._due.pop(0)
            self._do(fault)
            self.marks.append(FaultMark(at_s=round(now_s, 3), text=str(fault)))

    def close(self) -> None:
        """Thaw what is frozen: it would not hear that it must end."""
        self._signal(signal.SIGCONT)

    def _do(self, fault: Fault) -> None:
        match fault:
            case StopWorkers():
                self._signal(signal.SIGTERM)
                self._at_work.clear()
            case StartWorkers():
                self._scale_to(self._wanted)
            case FreezeWorkers():
                self._signal(signal.SIGSTOP)
                self._frozen = True
            case ThawWorkers():
                self._signal(signal.SIGCONT)
                self._frozen = False
            case KillWorker():
                if self._at_work:
                    self._at_work.pop(0).process.kill()
                self._scale_to(self._wanted)
            case ScaleWorkers(workers=workers):
                self._wanted = workers
                self._scale_to(workers)

    def _scale_to(self, workers: int) -> None:
        while len(self._at_work) < workers:
            self._at_work.append(self._system.add_worker())
        while len(self._at_work) > workers:
            _send(self._at_work.pop(), signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for service in self._at_work:
            _send(service, number)


def _send(service: Service, number: signal.Signals) -> None:
    if service.process.running():
        service.process.popen.send_signal(number)

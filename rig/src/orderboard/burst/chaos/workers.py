"""Does to the workers what the schedule of faults says, and replaces those that end by themselves. It never waits."""

import signal
from collections.abc import Sequence
from typing import Final

from orderboard.burst.chaos.schedule import (
    Fault,
    FreezeWorkers,
    KillWorker,
    ScaleWorkers,
    StartWorkers,
    StopWorkers,
    ThawWorkers,
)
from orderboard.burst.model import FaultMark
from orderboard.system.process import ChildProcess
from orderboard.system.services import Service
from orderboard.system.system import System

_REPLACEMENTS: Final = 10  # who ends more often than that is not mended by another start
_REPLACED_AFTER_S: Final = 1.0


class Workers:
    """The workers of a system, and what is still to be done to them. Use it on the main thread; see process.start."""

    def __init__(self, system: System, faults: Sequence[Fault]) -> None:
        self._system = system
        self._due = sorted(faults, key=lambda fault: fault.at_s)
        self._at_work = list(system.services[1:])
        self._wanted = len(self._at_work)
        self._frozen = False
        self._replaced = 0
        self._replace_at_s = 0.0
        self._api_ended = False
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
        """Do everything that is due; then see who has ended unasked."""
        while self._due and self._due[0].at_s <= now_s:
            fault = self._due.pop(0)
            self._do(fault)
            self.mark(now_s, str(fault))
        self._look_at_the_dead(now_s)

    def mark(self, now_s: float, text: str) -> None:
        """Note something that happened to the system."""
        self.marks.append(FaultMark(at_s=round(now_s, 3), text=text))

    def close(self) -> None:
        """Thaw what is frozen: it would not hear that it must end."""
        self._signal(signal.SIGCONT)

    def _look_at_the_dead(self, now_s: float) -> None:
        api = self._system.services[0].process
        if not self._api_ended and not api.running():
            self._api_ended = True
            self.mark(now_s, f"order-api has ended ({_how(api)}), and is not started again")
        if self._frozen or now_s < self._replace_at_s:
            return
        for service in [each for each in self._at_work if not each.process.running()]:
            self._at_work.remove(service)
            again = self._replaced < _REPLACEMENTS
            what_then = "another started" if again else "and no other is started: it would be one too many"
            self.mark(now_s, f"{service.process.name} has ended ({_how(service.process)}), {what_then}")
            if again:
                self._replaced += 1
                self._replace_at_s = now_s + _REPLACED_AFTER_S
                self._at_work.append(self._system.add_worker())

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


def _how(process: ChildProcess) -> str:
    code = process.popen.returncode
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _send(service: Service, number: signal.Signals) -> None:
    if service.process.running():
        service.process.popen.send_signal(number)

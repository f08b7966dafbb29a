"""Applies the schedule of faults to the workers, and replaces those that end on their own. It never waits."""

import signal
from collections.abc import Sequence
from typing import Final

from orderboard.burst.chaos.schedule import Fault
from orderboard.burst.model import FaultMark
from orderboard.system.process import ending
from orderboard.system.services import Service
from orderboard.system.system import System

_REPLACEMENTS: Final = 10  # another start does not help a worker that ends more often
_REPLACED_AFTER_S: Final = 1.0


class Workers:
    """The workers of a system, and the faults to come. Use it on the main thread; see process.start."""

    def __init__(self, system: System, faults: Sequence[Fault]) -> None:
        self._system = system
        self._due = sorted(faults, key=lambda fault: fault.at_s)
        self._running = list(system.workers)
        self._wanted = len(self._running)
        self._frozen = False
        self._replaced = 0
        self._replace_at_s = 0.0
        self._api_ended = False
        self.marks: list[FaultMark] = []

    @property
    def count(self) -> int:
        """The number of workers that run and are not frozen."""
        return 0 if self._frozen else sum(service.process.running() for service in self._running)

    @property
    def pending(self) -> Sequence[Fault]:
        """The faults to come, the next first."""
        return self._due

    def act(self, now_s: float, *, finished: int = 0) -> None:
        """Apply every fault that is due; then replace workers that have ended. finished: orders so far."""
        while self._due and self._due[0].at_s <= now_s and self._due[0].after_finished <= finished:
            fault = self._due.pop(0)
            self._apply(fault)
            self.mark(now_s, str(fault))
        self._replace_ended(now_s)

    def mark(self, now_s: float, text: str) -> None:
        """Record an event of the system."""
        self.marks.append(FaultMark(at_s=round(now_s, 3), text=text))

    def close(self) -> None:
        """Thaw frozen workers, which could not handle SIGTERM."""
        self._signal(signal.SIGCONT)

    def _replace_ended(self, now_s: float) -> None:
        api = None if self._system.api is None else self._system.api.process
        if api is not None and not self._api_ended and not api.running():
            self._api_ended = True
            self.mark(now_s, f"order-api has ended ({ending(api.popen.returncode)}), and is not started again")
        if self._frozen or now_s < self._replace_at_s:
            return
        for service in [each for each in self._running if not each.process.running()]:
            self._running.remove(service)
            again = self._replaced < _REPLACEMENTS
            reaction = "another started" if again else f"no other started after {_REPLACEMENTS} replacements"
            self.mark(
                now_s, f"{service.process.name} has ended ({ending(service.process.popen.returncode)}), {reaction}"
            )
            if again:
                self._replaced += 1
                self._replace_at_s = now_s + _REPLACED_AFTER_S
                self._running.append(self._system.add_worker())

    def _apply(self, fault: Fault) -> None:
        match fault.action:
            case "stop":
                self._signal(signal.SIGTERM)
                self._running.clear()
            case "start":
                self._scale_to(self._wanted)
            case "freeze":
                self._signal(signal.SIGSTOP)
                self._frozen = True
            case "thaw":
                self._signal(signal.SIGCONT)
                self._frozen = False
            case "kill":
                if self._running:
                    self._running.pop(0).process.kill()
                self._scale_to(self._wanted)
            case "scale":
                self._wanted = fault.workers
                self._scale_to(fault.workers)

    def _scale_to(self, workers: int) -> None:
        while len(self._running) < workers:
            self._running.append(self._system.add_worker())
        while len(self._running) > workers:
            _send(self._running.pop(), signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for service in self._running:
            _send(service, number)


def _send(service: Service, number: signal.Signals) -> None:
    if service.process.running():
        service.process.popen.send_signal(number)

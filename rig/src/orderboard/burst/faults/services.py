"""order-api and the workers under faults: signals, and replacements for those that end on their own. It never waits."""

import signal
from collections import deque
from collections.abc import Callable
from typing import Final

from orderboard.burst.faults.schedule import Fault
from orderboard.system.process import ending
from orderboard.system.services import Service
from orderboard.system.system import System

_REPLACEMENTS: Final = 10  # within a minute; another start does not help a service that ends more often
_WITHIN_S: Final = 60.0
_REPLACED_AFTER_S: Final = 1.0


class Services:
    """The services of a system. Use it on the main thread; see process.start. note: gets a time and an event."""

    def __init__(self, system: System, note: Callable[[float, str], None]) -> None:
        self._system = system
        self._note = note
        self._running = list(system.workers)
        self._wanted = len(self._running)
        self._given = system.given_workers
        self._frozen = False
        self._replaced_at_s: deque[float] = deque(maxlen=_REPLACEMENTS)
        self._api_given_up = False

    @property
    def workers(self) -> int:
        """The number of workers that run and are not frozen."""
        return 0 if self._frozen else self._given + sum(each.process.running() for each in self._running)

    def close(self) -> None:
        """Thaw frozen workers, which could not handle SIGTERM."""
        self._signal(signal.SIGCONT)

    def replace_ended(self, now_s: float) -> None:
        """Replace services that have ended, one after the other."""
        if self._replaced_at_s and now_s < self._replaced_at_s[-1] + _REPLACED_AFTER_S:
            return
        api = self._system.api
        if api is not None and not self._api_given_up and not api.process.running():
            self._api_given_up = not self._replace(api, now_s, self._system.restart_api)
        elif not self._frozen:
            for service in [each for each in self._running if not each.process.running()][:1]:
                self._running.remove(service)
                self._replace(service, now_s, self._add_worker)

    def apply(self, fault: Fault) -> None:
        """Carry out a fault of a service."""
        match fault.action:
            case "stop-worker":
                self._signal(signal.SIGTERM)
                self._running.clear()
            case "start-worker":
                self._scale_to(self._wanted)
            case "freeze-worker":
                self._signal(signal.SIGSTOP)
                self._frozen = True
            case "thaw-worker":
                self._signal(signal.SIGCONT)
                self._frozen = False
            case "kill-worker":
                if self._running:
                    self._running.pop(0).process.kill()
                self._scale_to(self._wanted)
            case "scale":
                self._wanted = fault.workers
                self._scale_to(fault.workers)
            case "kill-api" if self._system.api is not None:
                self._system.api.process.kill()
                self._system.restart_api()

    def _replace(self, service: Service, now_s: float, start: Callable[[], object]) -> bool:
        """Start another one; return False after too many."""
        often = len(self._replaced_at_s) == _REPLACEMENTS and now_s - self._replaced_at_s[0] < _WITHIN_S
        reaction = f"no other started after {_REPLACEMENTS} replacements" if often else "another started"
        process = service.process
        self._note(now_s, f"{process.name} has ended ({ending(process.popen.returncode)}), {reaction}")
        if not often:
            self._replaced_at_s.append(now_s)
            start()
        return not often

    def _add_worker(self) -> None:
        self._running.append(self._system.add_worker())

    def _scale_to(self, workers: int) -> None:
        while len(self._running) < workers:
            self._add_worker()
        while len(self._running) > workers:
            _send(self._running.pop(), signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for service in self._running:
            _send(service, number)


def _send(service: Service, number: signal.Signals) -> None:
    if service.process.running():
        service.process.popen.send_signal(number)

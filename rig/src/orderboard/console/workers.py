"""Stops, starts, kills, freezes, thaws and adds the workers of `up`. Signals and processes only, no AWS calls."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import psutil

from orderboard.console import commands
from orderboard.console.snapshot import process_state
from orderboard.console.source import Source
from orderboard.errors import RigError, UsageError
from orderboard.system.services import Service, ServiceOptions, start_worker, worker_environment
from orderboard.system.state import KnownProcess, State, StateFile, end, known

SIGNALS: Final = {"stop": signal.SIGTERM, "kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}
MAX_WORKERS: Final = 16
_STOPS_WITHIN_S: Final = 25.0  # a worker drains for 20 s at most
_PREPARATION: Final = "ORDERBOARD_PREPARATION_MS"


class Workers:
    """Acts on worker processes, and records in the state of `up` which of them `down` must end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._started: list[Service] = []
        self._preparation_ms: int | None = None  # None: as the running workers have it

    def list(self) -> list[KnownProcess]:
        """Return the workers in the state of `up`."""
        state = self._source.state()
        return [] if state is None else [each for each in state.processes if each.name.startswith("worker-")]

    def signal(self, name: str, action: str) -> str:
        """Send a signal, and return the command with the same effect."""
        worker = self._named(name)
        process = worker.find()
        if process is None:
            raise RigError(f"{name} is not running.")
        process.send_signal(SIGNALS[action])
        if action == "stop":
            process.resume()  # a frozen process handles SIGTERM only after SIGCONT
        return signal_command(action, worker.pid)

    def start(self, name: str) -> str:
        """Start a stopped worker again under the same name."""
        if self._named(name).find() is not None:
            raise RigError(f"{name} is already running.")
        return self._start(_number(name))

    def add(self) -> str:
        """Start one more."""
        if len(self.list()) >= MAX_WORKERS:
            raise UsageError(f"At most {MAX_WORKERS} workers run on one machine.")
        return self._start(self._next_number())

    def prepare_for(self, milliseconds: int) -> str:
        """Set the extra time of every order. Workers read it when they start, so the running ones are replaced."""
        self._preparation_ms = milliseconds
        running = tuple(each for each in self.list() if process_state(each) != "stopped")
        end(running, deadline_s=_STOPS_WITHIN_S)
        for each in running:
            self._start(_number(each.name))
        return "\n".join(self.start_command(each.name) for each in running) or self.start_command()

    @property
    def preparation_ms(self) -> int | None:
        """The extra time of every order; None if the running workers differ."""
        found = {_preparation_ms(each) for each in self.list()} - {None}
        if not found:
            return self._next_ms
        return found.pop() if len(found) == 1 else None

    def start_command(self, name: str | None = None) -> str:
        """Return the command that starts the worker of this name, or one more."""
        state, target = self._source.state(), self._source.target()
        if state is None:
            return ""
        number = self._next_number() if name is None else _number(name)
        return commands.worker(worker_environment(target.endpoint, target.outputs, self._options(state), number))

    def start_again(self, name: str, start: Callable[[ServiceOptions], Service], port: int | None = None) -> None:
        """Start a service, and record it in the place of the one of its name that has ended. port: of order-api."""
        options = replace(self._options(self._state()), api_port=port)
        with self._lock, StateFile(self._source.workspace.state_dir).locked():
            service = start(options)
            self._started.append(service)
            self._record(known(name, service.process.pid, service.url))
        service.wait()

    def reap(self) -> None:
        """Collect the exit status of ended workers that the console started."""
        self._started = [each for each in self._started if each.process.running()]

    def _start(self, number: int) -> str:
        target = self._source.target()
        name = f"worker-{number}"
        self.start_again(name, lambda options: start_worker(target.endpoint, target.outputs, options, number))
        return self.start_command(name)

    def _options(self, state: State) -> ServiceOptions:
        return ServiceOptions(
            logs_dir=self._source.workspace.logs_dir,
            allow_faults=state.allow_faults,
            outlives_us=True,
            takes_settings=True,
            worker_environment={_PREPARATION: str(self._next_ms)},
        )

    @property
    def _next_ms(self) -> int:
        """The extra time for the next worker: as set here, else as the running workers have it."""
        if self._preparation_ms is not None:
            return self._preparation_ms
        found = [each for each in map(_preparation_ms, self.list()) if each is not None]
        return max(found, default=int(os.environ.get(_PREPARATION, "0")))

    def _next_number(self) -> int:
        return max((_number(each.name) for each in self.list()), default=0) + 1

    def _record(self, worker: KnownProcess) -> None:
        state = self._state()
        processes = {each.name: each for each in state.processes} | {worker.name: worker}
        StateFile(self._source.workspace.state_dir).write(
            state.model_copy(update={"processes": tuple(processes.values())})
        )

    def _named(self, name: str) -> KnownProcess:
        for each in self.list():
            if each.name == name:
                return each
        raise UsageError(f"Unknown worker {name}.")

    def _state(self) -> State:
        state = self._source.state()
        if state is None:
            raise RigError("The console controls only processes that `orderboard up` started on this machine.")
        return state


def signal_command(action: str, pid: int) -> str:
    """Return the shell command that sends the same signal."""
    return f"kill -{SIGNALS[action].name.removeprefix('SIG')} {pid}"


def _number(name: str) -> int:
    return int(name.removeprefix("worker-"))


def _preparation_ms(worker: KnownProcess) -> int | None:
    process = worker.find()
    try:
        return None if process is None else int(process.environ().get(_PREPARATION, "0"))
    except (psutil.Error, ValueError):
        return None

"""The workers that `up` started: stopped, started, killed, frozen, thawed, added. Signals and processes, no AWS."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Final

import psutil

from orderboard.console import commands
from orderboard.console.board import process_state
from orderboard.console.source import Source
from orderboard.errors import RigError, UsageError
from orderboard.system.services import Service, ServiceOptions, start_worker, worker_environment
from orderboard.system.state import KnownProcess, State, StateFile, known

SIGNALS: Final = {
    "stop": (signal.SIGTERM,),
    "kill": (signal.SIGKILL,),
    "freeze": (signal.SIGSTOP,),
    "thaw": (signal.SIGCONT,),
}
MAX_WORKERS: Final = 16
_STOPS_WITHIN_S: Final = 25.0  # a worker drains for 20 s at most
_POLL_S: Final = 0.05
_PREPARATION: Final = "ORDERBOARD_PREPARATION_MS"


class Workers:
    """Acts on the workers, and notes in `up`'s state what `down` has to end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._started: list[Service] = []
        self._wanted_ms: int | None = None  # None: as those that run have it

    def list(self) -> list[KnownProcess]:
        """The workers that are known here."""
        state = self._source.state()
        return [] if state is None else [each for each in state.processes if each.name.startswith("worker-")]

    def signal(self, name: str, action: str) -> str:
        """Send the signal, and return the command that does the same."""
        worker = self._named(name)
        process = worker.find()
        if process is None:
            raise RigError(f"{name} does not run.")
        for each in SIGNALS[action]:
            process.send_signal(each)
        if action == "stop":
            process.resume()  # a frozen one hears nothing until it thaws
        return command(action, worker.pid)

    def start(self, name: str) -> str:
        """Start one that has stopped, under its old name."""
        if self._named(name).find() is not None:
            raise RigError(f"{name} runs already.")
        return self._start(int(name.removeprefix("worker-")))

    def add(self) -> str:
        """Start one more."""
        if len(self.list()) >= MAX_WORKERS:
            raise UsageError(f"{MAX_WORKERS} workers are enough for one machine.")
        return self._start(self._next_number())

    def prepare_for(self, milliseconds: int) -> str:
        """Let every order take so long. A worker is told at its start, so those that run are replaced by new ones."""
        self._wanted_ms = milliseconds
        running = [each for each in self.list() if process_state(each) != "stopped"]
        for each in running:
            self.signal(each.name, "stop")
        _await_end(running)
        for each in running:
            self._start(int(each.name.removeprefix("worker-")))
        return "\n".join(self.start_command(each.name) for each in running) or self.start_command()

    @property
    def preparation_ms(self) -> int | None:
        """How long an order takes, as the running workers were told; None when they were told different things."""
        told = {_preparation_ms(each) for each in self.list()} - {None}
        if not told:
            return self._next_ms
        return told.pop() if len(told) == 1 else None

    def start_command(self, name: str | None = None) -> str:
        """What starts the worker of this name, or one more, as the console would."""
        state, target = self._source.state(), self._source.target()
        if state is None:
            return ""
        number = self._next_number() if name is None else int(name.removeprefix("worker-"))
        options = self._options(state)
        return commands.worker(worker_environment(target.endpoint, target.outputs, options, number))

    def reap(self) -> None:
        """Take note of those of ours that have ended."""
        self._started = [each for each in self._started if each.process.running()]

    def _start(self, number: int) -> str:
        state = self._state()
        target = self._source.target()
        options = self._options(state)
        with self._lock, StateFile(self._source.workspace.state_dir).locked():
            service = start_worker(target.endpoint, target.outputs, options, number)
            self._started.append(service)
            self._note(known(service.process.name, service.process.pid, service.url))
        service.wait()
        return self.start_command(service.process.name)

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
        """What the next worker is told: what was asked for here, else what those that run were told."""
        if self._wanted_ms is not None:
            return self._wanted_ms
        told = [each for each in map(_preparation_ms, self.list()) if each is not None]
        return max(told, default=int(os.environ.get(_PREPARATION, "0")))

    def _next_number(self) -> int:
        return max((int(each.name.removeprefix("worker-")) for each in self.list()), default=0) + 1

    def _note(self, worker: KnownProcess) -> None:
        state = self._state()
        others = tuple(each for each in state.processes if each.name != worker.name)
        StateFile(self._source.workspace.state_dir).write(state.model_copy(update={"processes": (*others, worker)}))

    def _named(self, name: str) -> KnownProcess:
        for each in self.list():
            if each.name == name:
                return each
        raise UsageError(f"There is no worker {name} here.")

    def _state(self) -> State:
        state = self._source.state()
        if state is None:
            raise RigError("The console did not start these processes, so it does not touch them.")
        return state


def command(action: str, pid: int) -> str:
    """What to type for the same effect."""
    return f"kill -{SIGNALS[action][0].name.removeprefix('SIG')} {pid}"


def _preparation_ms(worker: KnownProcess) -> int | None:
    process = worker.find()
    try:
        return None if process is None else int(process.environ().get(_PREPARATION, "0"))
    except (psutil.Error, ValueError):
        return None


def _await_end(workers: Sequence[KnownProcess]) -> None:
    until = time.monotonic() + _STOPS_WITHIN_S
    while any(process_state(each) != "stopped" for each in workers) and time.monotonic() < until:
        time.sleep(_POLL_S)
    for each in workers:
        if (process := each.find()) is not None:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

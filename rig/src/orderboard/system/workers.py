"""The workers of `up`: stopped, started, killed, frozen, thawed, added. Signals and processes only, no AWS calls."""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

import psutil

from orderboard.errors import RigError, UsageError
from orderboard.system.process import NotReadyError
from orderboard.system.services import Service, ServiceOptions, start_worker
from orderboard.system.state import KnownProcess, State, StateFile, end, known
from orderboard.system.workspace import Workspace

if TYPE_CHECKING:
    from orderboard.system.target import Target

Signal = Literal["stop", "kill", "freeze", "thaw"]
Action = Literal["stop", "start", "kill", "freeze", "thaw"]
Condition = Literal["running", "frozen", "stopped"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
SIGNALS: Final[Mapping[Signal, signal.Signals]] = {
    "stop": signal.SIGTERM,
    "kill": signal.SIGKILL,
    "freeze": signal.SIGSTOP,
    "thaw": signal.SIGCONT,
}
MAX_WORKERS: Final = 16
DRAINS_WITHIN_S: Final = 25.0  # a worker drains for 20 s at most
FUNCTION: Final = "worker-1"  # the name of a worker that is a function, where workers have names
PROCESSES_ONLY: Final = (
    "The worker is a Lambda function here, which has `stop` and `start` (of its event source mappings) and `set`. "
    "For processes: orderboard down && orderboard up"
)
ON_ECS: Final = (
    "The workers run on ECS, not here. Run `orderboard up` again with another --parameter WorkerMinTasks=N, or change "
    "the service: aws ecs update-service."
)
NOT_OURS: Final = "These processes were not started on this machine by `orderboard up`."
_LOCKED_WITHIN_S: Final = 60.0


@dataclass
class Workers:
    """The workers of the system that `up` started in this workspace. state: None if it was not started here."""

    workspace: Workspace
    state: Callable[[], State | None]
    target: Callable[[], "Target"]
    _started: list[Service] = field(default_factory=list, init=False)

    def all(self) -> list[KnownProcess]:
        """Return the workers that `up`, the console or a command has started, ended ones included."""
        state = self.state()
        return [] if state is None else [each for each in state.processes if each.name.startswith("worker-")]

    def named(self, name: str) -> KnownProcess:
        """Return the worker of this name, or of its number; raise UsageError with the names if there is none."""
        self._state_of_processes()
        found = {each.name: each for each in self.all()}
        worker = found.get(name) or found.get(f"worker-{name}")
        if worker is None:
            raise UsageError(f"Unknown worker {name!r}: expected {' or '.join(found)}.")
        return worker

    def refusal(self, worker: KnownProcess, action: Action) -> str | None:
        """Return why this action has no effect on the worker now; None if it has one."""
        match action, condition(worker):
            case "start", "running" | "frozen":
                return f"{worker.name} is already running."
            case "stop" | "kill" | "freeze" | "thaw", "stopped":
                return f"{worker.name} is not running. Start it: orderboard worker start {worker.name}"
            case "freeze", "frozen":
                return f"{worker.name} is already frozen."
            case "thaw", "running":
                return f"{worker.name} is not frozen."
        return None

    def act(self, name: str, action: Action) -> KnownProcess:
        """Start a stopped worker, or send a signal; raise RigError if the action has no effect. It does not wait."""
        worker = self.named(name)
        if (reason := self.refusal(worker, action)) is not None:
            raise RigError(reason)
        if action == "start":
            return self._start(worker.name)
        process = worker.find()
        if process is not None:  # else it has ended just now
            process.send_signal(SIGNALS[action])
            if action == "stop":
                process.resume()  # a frozen process handles SIGTERM only after SIGCONT
        return worker

    def add(self) -> KnownProcess:
        """Start one more."""
        with self._changing() as files:
            self._state_of_processes()
            [name] = self._free_names(1)
            return _ready(self._launch(files, name))

    def scale(self, count: int) -> Sequence[tuple[str, str]]:
        """Run this many: start stopped ones, then new ones; or end those with the highest numbers, and forget them.

        Returns the changes: an action of `orderboard worker`, and the name that it takes.
        """
        with self._changing() as files:
            self._state_of_processes()
            workers = sorted(self.all(), key=lambda each: _number(each.name))
            running = [each for each in workers if condition(each) != "stopped"]
            if count < len(running):
                self._forget(files, running[count:])
                return [("stop", each.name) for each in running[count:]]
            stopped = [each.name for each in workers if each not in running][: count - len(running)]
            added = self._free_names(count - len(running) - len(stopped))
            for service in [self._launch(files, name) for name in (*stopped, *added)]:
                service.wait()
        return [*(("start", name) for name in stopped), *(("add", "") for _ in added)]

    def keep_first(self) -> None:
        """Run the first worker alone, as after `up`: start it if it has ended, and end and forget the others."""
        with self._changing() as files:
            if self._state().worker == "lambda":
                return
            first, *others = sorted(self.all(), key=lambda each: _number(each.name))
            if others:
                self._forget(files, others)
            if condition(first) == "stopped":
                _ready(self._launch(files, first.name))

    @property
    def environment(self) -> Mapping[str, str]:
        """The ORDERBOARD_ variables that workers get beside the names of the stack."""
        state = self.state()
        return {} if state is None else state.worker_environment

    def set_environment(self, changes: Mapping[str, str]) -> None:
        """Set ORDERBOARD_ variables of all workers. They are read at the start, so the running workers are replaced.

        A function has them from its next invocation on. If the workers do not start with them, they get the former
        variables again, and NotReadyError is raised.
        """
        with self._changing() as files:
            self._change_environment(files, {**self.environment, **changes})

    def reset_environment(self, changes: Mapping[str, str]) -> None:
        """Give all workers the variables that they had after `up`, and these. Nothing happens if they have them."""
        with self._changing() as files:
            wanted = {**self._state().first_worker_environment, **changes}
            if dict(self.environment) != wanted:
                self._change_environment(files, wanted)

    def _change_environment(self, files: StateFile, wanted: Mapping[str, str]) -> None:
        if self._state().worker == "lambda":
            from orderboard.system.worker_function import WorkerFunction  # noqa: PLC0415 - brings boto3

            WorkerFunction(self.target()).set_environment(wanted)
            files.write(self._state().model_copy(update={"worker_environment": wanted}))
            return
        before = self._state().worker_environment
        running = [each.name for each in self.all() if condition(each) != "stopped"]
        try:
            self._replace(files, running, wanted)
        except NotReadyError:
            self._replace(files, running, before)
            raise

    def start_again(self, name: str, start: Callable[[ServiceOptions], Service]) -> KnownProcess:
        """Start a service that has ended, in its place in the state of `up`."""
        with self._changing() as files:
            return _ready(self._launch(files, name, start))

    def reap(self) -> None:
        """Collect the exit status of ended services that this process started."""
        self._started = [each for each in self._started if each.process.running()]

    def _start(self, name: str) -> KnownProcess:
        with self._changing() as files:
            if condition(self.named(name)) != "stopped":
                raise RigError(f"{name} is already running.")
            return _ready(self._launch(files, name))

    def _free_names(self, count: int) -> list[str]:
        numbers = [_number(each.name) for each in self.all()]
        if len(numbers) + count > MAX_WORKERS:
            raise UsageError(f"At most {MAX_WORKERS} workers run on one machine.")
        first = max(numbers, default=0) + 1
        return [f"worker-{number}" for number in range(first, first + count)]

    def _forget(self, files: StateFile, workers: Sequence[KnownProcess]) -> None:
        end(tuple(workers), deadline_s=DRAINS_WITHIN_S)
        state = self._state()
        kept = tuple(each for each in state.processes if each not in workers)
        files.write(state.model_copy(update={"processes": kept}))

    def _replace(self, files: StateFile, names: Sequence[str], environment: Mapping[str, str]) -> None:
        files.write(self._state().model_copy(update={"worker_environment": environment}))
        end(tuple(map(self.named, names)), deadline_s=DRAINS_WITHIN_S)
        for service in [self._launch(files, name) for name in names]:
            service.wait()

    @contextmanager
    def _changing(self) -> Iterator[StateFile]:
        """Let one process or thread at a time change what runs, until it is ready. The others wait."""
        files = StateFile(self.workspace.state_dir)
        with files.locked(within_s=_LOCKED_WITHIN_S):
            yield files

    def _launch(self, files: StateFile, name: str, start: Callable[[ServiceOptions], Service] | None = None) -> Service:
        """Start a service, by default a worker, and record it."""
        state, target = self._state(), self.target()
        options = ServiceOptions(
            logs_dir=self.workspace.logs_dir,
            allow_faults=state.allow_faults,
            outlives_us=True,
            takes_settings=True,
            worker_environment=state.worker_environment,
        )
        if start is None:
            service = start_worker(target.endpoint, target.outputs, options, _number(name))
        else:
            service = start(options)
        self._started.append(service)
        processes = {each.name: each for each in state.processes} | {name: _known(service)}
        files.write(state.model_copy(update={"processes": tuple(processes.values())}))
        return service

    def no_processes(self) -> str | None:
        """Return why no worker process can be added here; None if one can."""
        state = self.state()
        if state is None:
            return NOT_OURS
        return ON_ECS if state.on_ecs else PROCESSES_ONLY if state.worker == "lambda" else None

    def _state_of_processes(self) -> State:
        state = self._state()
        if (reason := self.no_processes()) is not None:
            raise RigError(reason)
        return state

    def _state(self) -> State:
        if (state := self.state()) is None:
            raise RigError(NOT_OURS)
        return state


def condition(process: KnownProcess) -> Condition:
    """Return whether it is running, frozen (SIGSTOP) or stopped."""
    found = process.find()
    try:
        if found is None:
            return "stopped"
        return "frozen" if found.status() == psutil.STATUS_STOPPED else "running"
    except psutil.NoSuchProcess:
        return "stopped"


def _number(name: str) -> int:
    return int(name.removeprefix("worker-"))


def _ready(service: Service) -> KnownProcess:
    service.wait()
    return _known(service)


def _known(service: Service) -> KnownProcess:
    return known(service.process.name, service.process.pid, service.url)

"""The state of the system that `orderboard up` started, for `down`, `status` and others: .orderboard/state.json."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import psutil
from orderboard_stack.backend import BackendName, Endpoint
from pydantic import BaseModel, ConfigDict, ValidationError

from orderboard.errors import RigError
from orderboard.system.file_lock import file_lock
from orderboard.system.process import ending

WorkerCompute = Literal["container", "lambda"]
# psutil derives the time from the boot time, which may shift by a little when the clock is set.
_SAME_START_WITHIN_S: Final = 1.0
_KILLED_WITHIN_S: Final = 5.0


class KnownProcess(BaseModel):
    """A process that we started. The start time distinguishes it from a later process with the same pid."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    create_time: float
    url: str | None = None  # where it reports its health and metrics

    def find(self) -> psutil.Process | None:
        """The process itself, None when it has ended, even if another process has its pid by now."""
        process = self._process()
        return None if process is None or not _runs(process) else process

    def ending(self) -> str | None:
        """The signal or exit code that ended it. None while it runs, outside Linux, and once its parent has read it."""
        try:
            process = self._process()
            if process is None or process.status() != psutil.STATUS_ZOMBIE:
                return None
            *_, wait_status = Path(f"/proc/{self.pid}/stat").read_text().split()
        except (psutil.NoSuchProcess, OSError):
            return None
        return ending(os.waitstatus_to_exitcode(int(wait_status)))

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.create_time) < _SAME_START_WITHIN_S else None
        except psutil.NoSuchProcess:
            return None


def known(name: str, pid: int, url: str | None = None) -> KnownProcess:
    """Identify a process that runs; raise psutil.NoSuchProcess when it does not."""
    return KnownProcess(name=name, pid=pid, create_time=psutil.Process(pid).create_time(), url=url)


class State(BaseModel):
    """A system that runs in the background."""

    model_config = ConfigDict(frozen=True)

    backend: BackendName
    endpoint_url: str | None
    upstream_url: str | None = None
    region: str
    stack_name: str
    prefix: str
    api_url: str
    container_id: str | None = None
    worker: WorkerCompute = "container"
    allow_faults: bool = False
    worker_environment: Mapping[str, str] = {}  # ORDERBOARD_ variables that every worker starts with
    first_worker_environment: Mapping[str, str] = {}  # those of `up`
    backend_log: Path | None = None  # of a backend that was started here
    data_dir: Path | None = None  # where it keeps its state
    processes: tuple[KnownProcess, ...]
    on_ecs: bool = False  # order-api and workers run in the account, and no process of theirs here

    @property
    def endpoint(self) -> Endpoint:
        """The backend."""
        return Endpoint(self.backend, self.endpoint_url, self.region, self.upstream_url)


class StateFile:
    """The file, and the lock that lets one `up` or `down` run at a time."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "state.json"
        self._lock_path = state_dir / "lock"

    def read(self) -> State | None:
        """The recorded state, None if there is none."""
        try:
            return State.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as exc:
            raise RigError(f"{self._path} is damaged. End what still runs by hand, then remove it.") from exc

    def write(self, state: State) -> None:
        """Record this state, as a whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text(state.model_dump_json(indent=2))
        partial.replace(self._path)

    def forget(self) -> None:
        """Remove the recorded state."""
        self._path.unlink(missing_ok=True)

    @contextmanager
    def locked(self, *, within_s: float = 0) -> Iterator[None]:
        """Hold the lock; raise RigError if another command still holds it after this time."""
        busy = "Another `orderboard up`, `down` or `worker` is running here. Wait until it ends."
        with file_lock(self._lock_path, busy=busy, within_s=within_s):
            yield


def end(processes: tuple[KnownProcess, ...], *, deadline_s: float) -> list[str]:
    """Send SIGTERM to them and their children, and SIGKILL after the deadline. Returns the names of those that ran."""
    found = [(each.name, process) for each in processes if (process := each.find()) is not None]
    family: list[psutil.Process] = []
    for _, process in found:
        with suppress(psutil.NoSuchProcess):
            family += [process, *process.children(recursive=True)]
            process.terminate()
            process.resume()  # a stopped one receives SIGTERM only when it continues
    for process in _alive_after(family, deadline_s):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _alive_after(family, _KILLED_WITHIN_S)
    return [name for name, _ in found]


def _alive_after(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    # Not psutil.wait_procs: that waits until they are reaped, and the process that inherited them may take seconds.
    until = time.monotonic() + within_s
    while (alive := [each for each in processes if _runs(each)]) and time.monotonic() < until:
        time.sleep(0.02)
    return alive


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

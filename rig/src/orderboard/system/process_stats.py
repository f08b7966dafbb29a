"""Memory and CPU use of the system's processes, by name. The backend's engines and functions are counted apart."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import psutil
from orderboard_stack.local_processes import Role, role_of
from pydantic import BaseModel, ConfigDict, Field

from orderboard.system.state import KnownProcess, known

BACKEND: Final = "backend"
MINISTACK: Final = "backend (MiniStack)"  # behind localbus, which is then the backend
SUPERVISOR: Final = "backend (supervisor)"
THIS_COMMAND: Final = "this command"
GENERATOR: Final = "generator"
# Each has a function of this name, after its stack's prefix.
_SERVICES: Final = ("notifier", "worker")
_NAMES: Final[dict[Role, str]] = {"supervisor": SUPERVISOR, "localbus": BACKEND, "MiniStack": MINISTACK}


@dataclass(frozen=True)
class MemoryUse:
    """The memory of one process, or of all its children together.

    pss_bytes splits shared pages between the processes that share them, so sums are exact; None outside Linux.
    rss_bytes counts shared pages in full.
    """

    name: str
    processes: int
    rss_bytes: int
    pss_bytes: int | None

    @property
    def best_bytes(self) -> int:
        """The most exact number available."""
        return self.rss_bytes if self.pss_bytes is None else self.pss_bytes


class ProcessorShare(BaseModel):
    """The share of the processor that one process used, on average."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cores: float = Field(description="CPU seconds a second: 1.0 is one core, the most that one Python process can use.")


def memory_use(processes: Iterable[KnownProcess]) -> tuple[MemoryUse, ...]:
    """Measure these processes, their children, and this process (last, as THIS_COMMAND)."""
    everything = (*processes, known(THIS_COMMAND, os.getpid()))
    return tuple(_sum(name, members) for each in everything for name, members in _with_children(each).items())


class CpuSampler:
    """CPU seconds by process name. What a process used between the last sample and its end is not counted."""

    def __init__(self, processes: Callable[[], Iterable[KnownProcess]]) -> None:
        self._processes = processes
        self._used_s: dict[tuple[str, int], float] = {}  # by name and process id: one that is killed has a successor
        self._before: dict[tuple[str, int], float] = {}
        self._since = time.monotonic()

    def start(self) -> None:
        """Count from now."""
        self.sample()
        self._before = dict(self._used_s)
        self._since = time.monotonic()

    def sample(self) -> None:
        """Read the CPU seconds of each process."""
        for each in self._processes():
            try:
                for name, members in _with_children(each).items():
                    self._used_s |= {(name, member.pid): _used_s(member) for member in members}
            except psutil.Error:  # it ended meanwhile
                continue

    def shares(self) -> tuple[ProcessorShare, ...]:
        """Average number of busy cores since start(), the busiest process first."""
        over_s = max(time.monotonic() - self._since, 0.001)
        return tuple(
            ProcessorShare(name=name, cores=round(each / over_s, 3))
            for name, each in sorted(self.used_s().items(), key=lambda item: -item[1])
        )

    def used_s(self) -> dict[str, float]:
        """CPU seconds of each process from start() to the last sample."""
        found: defaultdict[str, float] = defaultdict(float)
        for key, used_s in list(self._used_s.items()):  # another thread may take a sample
            found[key[0]] += max(0.0, used_s - self._before.get(key, 0.0))
        return dict(found)


def _with_children(known_process: KnownProcess) -> dict[str, list[psutil.Process]]:
    """The process, and the backend's children by role; empty when it has ended.

    The embedded backend is localbus, although the process that is known is the one that keeps it running.
    """
    if (process := known_process.find()) is None:
        return {}
    found: dict[str, list[psutil.Process]] = {known_process.name: [process]}
    if known_process.name == BACKEND:
        if role_of(process.pid) == "supervisor":
            found = {BACKEND: [], SUPERVISOR: [process]}
        for child in process.children(recursive=True):
            role = role_of(child.pid)
            found.setdefault(_function(child) if role is None else _NAMES[role], []).append(child)
    return found


def _function(process: psutil.Process) -> str:
    """Return the name of a function's process."""
    try:
        name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
    except psutil.Error:  # it ended meanwhile, or belongs to another user
        name = ""
    service = name.rpartition("-")[2]
    return f"{service if service in _SERVICES else name or 'function'} (Lambda)"


def _sum(name: str, processes: list[psutil.Process]) -> MemoryUse:
    rss_bytes, pss_bytes, counted = 0, 0, 0
    for process in processes:
        try:
            full = process.memory_full_info()
        except psutil.Error:  # it ended meanwhile, or belongs to another user
            continue
        counted += 1
        rss_bytes += full.rss
        pss_bytes += getattr(full, "pss", 0)
    return MemoryUse(name, counted, rss_bytes, pss_bytes or None)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system

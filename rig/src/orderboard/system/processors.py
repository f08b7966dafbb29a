"""How busy each process keeps the processor, from the CPU seconds that the system counts for it."""

import time
from collections.abc import Callable, Iterable

import psutil

from orderboard.burst.model import ProcessorShare
from orderboard.system.parts import parts
from orderboard.system.state import KnownProcess


class Processors:
    """CPU seconds by process name. What a process used since the last look before it ended is missing."""

    def __init__(self, processes: Callable[[], Iterable[KnownProcess]]) -> None:
        self._processes = processes
        self._used_s: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._since = time.monotonic()

    def begin(self) -> None:
        """Count from now."""
        self.look()
        self._before = dict(self._used_s)
        self._since = time.monotonic()

    def look(self) -> None:
        """See what each process has used so far."""
        for each in self._processes():
            try:
                for name, members in parts(each).items():
                    used_s = sum(_used_s(member) for member in members)
                    self._used_s[name] = max(used_s, self._used_s.get(name, 0.0))
            except psutil.Error:  # it ended meanwhile
                continue

    def shares(self) -> tuple[ProcessorShare, ...]:
        """Cores that each kept busy since begin(), in the mean, the busiest first."""
        over_s = max(time.monotonic() - self._since, 0.001)
        cores = {name: (used_s - self._before.get(name, 0.0)) / over_s for name, used_s in self._used_s.items()}
        return tuple(
            ProcessorShare(name=name, cores=round(max(0.0, each), 3))
            for name, each in sorted(cores.items(), key=lambda item: -item[1])
        )


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system

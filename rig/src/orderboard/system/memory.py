"""What processes hold in memory, with their children, by name."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from orderboard.system.parts import parts
from orderboard.system.state import KnownProcess, known


@dataclass(frozen=True)
class Memory:
    """One process's own memory, or that of all its children together.

    pss_bytes counts a page that several processes share in parts, so sums are true; None where the system has no such
    number (only Linux has). rss_bytes counts it in full.
    """

    name: str
    processes: int
    rss_bytes: int
    pss_bytes: int | None

    @property
    def best_bytes(self) -> int:
        """The truest number there is."""
        return self.rss_bytes if self.pss_bytes is None else self.pss_bytes


def measure(processes: Iterable[KnownProcess]) -> tuple[Memory, ...]:
    """Measure these processes, what runs under them, and this one."""
    everything = (*processes, known("this command", os.getpid()))
    return tuple(_sum(name, members) for each in everything for name, members in parts(each).items())


def _sum(name: str, processes: list[psutil.Process]) -> Memory:
    rss_bytes, pss_bytes, counted = 0, 0, 0
    for process in processes:
        try:
            full = process.memory_full_info()
        except psutil.Error:  # it ended meanwhile, or is not ours to look at
            continue
        counted += 1
        rss_bytes += full.rss
        pss_bytes += getattr(full, "pss", 0)
    return Memory(name, counted, rss_bytes, pss_bytes or None)

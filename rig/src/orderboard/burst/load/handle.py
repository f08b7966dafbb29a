"""A generator as the runner sees it: a process of this machine, or one that joined from another machine."""

import time
from collections.abc import Sequence
from typing import Protocol

from orderboard.burst.load.generator import Command, Update


class GeneratorHandle(Protocol):
    """One generator. Its job was given when it was made."""

    @property
    def machine(self) -> str:
        """The machine that it runs on; empty for this one."""

    @property
    def pid(self) -> int | None:
        """The process id; None on another machine."""

    @property
    def start_takes_s(self) -> float:
        """The time that a start needs to get there."""

    @property
    def clock_error_s(self) -> float | None:
        """The most by which its times may differ from this machine's; None for the same clock."""

    @property
    def problem(self) -> str:
        """The reason why it ended before it was done, such as a signal; empty without one."""

    def ready(self) -> None:
        """Wait until it can start; raise RigError if it cannot."""

    def start(self, at: float) -> None:
        """Start it; second 0 of its times is at this one of time.monotonic()."""

    def updates(self) -> list[Update]:
        """Return the updates since the last call."""

    def command(self, command: Command) -> None:
        """End the load early; the last update says how many orders were sent."""

    def stop(self) -> None:
        """End it at once, if it has not ended."""


def start_together(generators: Sequence[GeneratorHandle]) -> float:
    """Start them once all are ready; return second 0 of their times by time.monotonic(), which is a moment ahead."""
    for each in generators:
        each.ready()
    start_at = time.monotonic() + max(each.start_takes_s for each in generators)
    for each in generators:
        each.start(start_at)
    return start_at

"""What every part stands on: how many rounds, and whom to tell how far it is."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """How a part is to run. `backlogs` are in messages; the first is what the others are compared with."""

    rounds: int = 5
    backlogs: tuple[int, ...] = (1_000, 10_000, 100_000, 500_000)

    def say(self, text: str) -> None:
        """Tell on the terminal what happens now, in a line that the next one overwrites."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()

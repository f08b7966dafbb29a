"""An experiment that is a program itself: it has threads or servers, which recorded steps cannot have.

Its file needs nothing but boto3, so a person can keep it and run it alone. It has the constants CLAIM, SOURCE and
MEANS, reads the endpoint from AWS's environment variables, and takes --json and --name. With --json it prints a
`Moment` a line as a JSON object; the detail of a check holds `Checked` without its text. SIGINT ends it; what it made
it then removes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from orderboard.lab.experiment import Experiment
from orderboard.lab.result import Moment
from orderboard.system.localbus import CLOCK, Localbus

_ENDS_WITHIN_S: Final = 15
_TICK_S: Final = 0.05
_VERDICTS: Final = (0, 1)  # the claim holds, or not


class ProgramError(Exception):
    """The program ended without a verdict."""


class Program(Experiment):
    """The program in a file. Its steps are the paragraphs that describe it."""

    def __init__(self, claim: str, source: str, means: str, *, path: Path, description: str) -> None:
        super().__init__(claim, source, means)
        self.path = path
        for paragraph in description.strip().split("\n\n"):
            self.step(" ".join(paragraph.split()))

    @classmethod
    def of(cls, module: ModuleType, path: Path) -> Program:
        """Return the program of a loaded module."""
        description = (module.__doc__ or "").strip().partition("\n")[2]
        return cls(module.CLAIM, module.SOURCE, module.MEANS, path=path, description=description)

    def run(self, environment: Mapping[str, str], name: str) -> Iterator[Moment]:
        """Run the program on the backend of this environment; yield what it prints. Raises ProgramError."""
        process = subprocess.Popen(
            [sys.executable, str(self.path), "--json", "--name", name],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C reaches it once, from here
        )
        other = ""
        try:
            for line in process.stdout or ():
                try:
                    yield Moment(**json.loads(line))
                except (ValueError, TypeError):
                    other = line.strip() or other
            if process.wait() not in _VERDICTS:
                raise ProgramError(f"{self.path.name} ended with status {process.returncode}: {other}")
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt a program that still runs, so that it removes what it made."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def running_clock(localbus: Localbus | None) -> Iterator[None]:
    """Let a manual clock run with real time, in which programs live."""
    if localbus is None:
        yield
        return
    ended = threading.Event()

    def move() -> None:
        before = time.monotonic()
        while not ended.wait(_TICK_S):
            now = time.monotonic()
            localbus.change("POST", CLOCK, {"advance_s": now - before})
            before = now

    mover = threading.Thread(target=move, daemon=True)
    mover.start()
    try:
        yield
    finally:
        ended.set()
        mover.join()

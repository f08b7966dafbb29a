"""An experiment that is a program itself: it has threads or servers, which recorded steps cannot have.

Its file needs nothing but boto3, so a person can keep it and run it alone. It has the constants CLAIM, SOURCE and
MEANS, reads the endpoint from AWS's environment variables, and takes --json and --name. With --json it prints a
`Moment` a line as a JSON object; the detail of a check holds `Checked` without its text. SIGINT ends it; what it made
it then removes.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from orderboard.lab.experiment import Experiment
from orderboard.lab.result import Moment

_ENDS_WITHIN_S: Final = 15
_VERDICTS: Final = (0, 1)  # the claim holds, or not


class ProgramError(Exception):
    """The program ended without a verdict."""


class Program(Experiment):
    """The program in a file. Its title is the first line of its docstring, its steps are the other paragraphs."""

    def __init__(self, claim: str, source: str, means: str, *, path: Path, description: str) -> None:
        super().__init__(claim, source, means)
        self.path = path
        self.title, *paragraphs = description.strip().split("\n\n")
        for paragraph in paragraphs:
            self.step(" ".join(paragraph.split()))

    @classmethod
    def read(cls, path: Path) -> Program | None:
        """Return the program in a file; None for recorded steps. The file is not run, which would load boto3."""
        text = path.read_text(encoding="utf-8")
        if "\nCLAIM = " not in text:
            return None
        tree = ast.parse(text)
        constants = {
            name.id: each.value
            for each in tree.body
            if isinstance(each, ast.Assign)
            for name in each.targets
            if isinstance(name, ast.Name)
        }
        texts = [ast.literal_eval(constants[name]) for name in ("CLAIM", "SOURCE", "MEANS")]
        return cls(*texts, path=path, description=ast.get_docstring(tree) or "")

    def run(self, environment: Mapping[str, str], name: str) -> Iterator[Moment]:
        """Run the program on the backend of this environment; yield what it prints. Raises ProgramError."""
        process = subprocess.Popen(
            [sys.executable, str(self.path), "--json", "--name", name],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C reaches it once, from here
            preexec_fn=_take_interrupts,  # noqa: PLW1509 - our threads hold no locks
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


def _take_interrupts() -> None:
    """End on SIGINT, also where a shell made this process ignore it, as it does with jobs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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

"""Experiments of the lab in the console: on an engine that is started for them, and whose clock is turned."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from typing import Any, Final

from orderboard.console.streaming import Put, stream
from orderboard.errors import RigError, UsageError
from orderboard.lab.backend import LabBackend, lab_backend
from orderboard.lab.catalogue import AREAS, Entry, everything, find
from orderboard.lab.programs import boto3_program, cli_program
from orderboard.lab.result import Result
from orderboard.lab.run import Runner
from orderboard.lab.timeline import parties, sentence

_IDLE_S: Final = 120.0
_PROGRAMS: Final[dict[str, Callable[[Entry], str]]] = {"boto3": boto3_program, "cli": cli_program}


def _start() -> AbstractContextManager[LabBackend]:
    return lab_backend("embedded", None)


class Lab:
    """Runs one experiment at a time. The engine starts with the first one, and ends after two minutes without any."""

    def __init__(self, start: Callable[[], AbstractContextManager[LabBackend]] = _start) -> None:
        self._start = start
        self._running = threading.Lock()
        self._engine = ExitStack()
        self._backend: LabBackend | None = None
        self._idle: threading.Timer | None = None

    def close(self) -> None:
        """End the engine, once a run has ended."""
        if self._idle is not None:
            self._idle.cancel()
        with self._running:
            self._end()

    def run(self, name: str) -> Iterator[bytes]:
        """Run an experiment; return its timeline as it comes, a JSON object a line, and the result as the last one."""
        entry = find(name)
        if not self._running.acquire(blocking=False):
            raise UsageError("An experiment runs already. Wait for its end.")
        return stream("lab", lambda put: self._run(entry, put))

    def _run(self, entry: Entry, put: Put) -> None:
        try:
            if self._idle is not None:
                self._idle.cancel()
            if self._backend is None:
                self._backend = self._engine.enter_context(self._start())
            runner = Runner(entry, self._backend, on_moment=lambda moment: put({"moment": asdict(moment)}))
            put({"result": _result(runner())})
        except RigError:
            self._end()  # the next one starts another engine
            raise
        finally:
            self._idle = threading.Timer(_IDLE_S, self.close)
            self._idle.daemon = True
            self._idle.start()
            self._running.release()

    def _end(self) -> None:
        self._engine.close()
        self._backend = None


def experiments() -> dict[str, Any]:
    """Return every experiment, by area."""
    found = [{**each.document(), "parties": parties(each.experiment)} for each in everything()]
    return {"areas": dict(AREAS), "experiments": found}


def program(name: str, form: str) -> str:
    """Return an experiment as a program: boto3 or cli."""
    if form not in _PROGRAMS:
        raise UsageError(f"Unknown program {form!r}: expected {' or '.join(_PROGRAMS)}.")
    return _PROGRAMS[form](find(name))


def _result(result: Result) -> dict[str, Any]:
    return {"outcome": result.outcome, "sentence": sentence(result), "seconds": result.seconds}

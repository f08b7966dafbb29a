"""A stage: processes that run an attendee's file, killed at will, and what each of them reports.

An exercise's program has one, for attendees in a terminal and for its check alike: `perform` runs the program for it.
"""

import argparse
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orderboard_stack.parent_watch import killed_with

from orderboard.errors import RigError, UsageError
from orderboard.system.client_environment import client_environment
from orderboard.system.target import AWS_ERRORS, Connection
from orderboard.workshop.run_function import described

if TYPE_CHECKING:
    from orderboard.workshop.board import Board  # its import takes a second of processor time

Event = dict[str, Any]
_TEXT_CHARACTERS: Final = 400  # of an error: a report must fit into one write to a pipe
_OPEN: Final = "Open the exercise of this program first: orderboard workshop open N."
_FAILED: Final = 3
_LOOK_S: Final = 0.2  # between two looks whether all processes live
_FILE, _QUEUE_URL = "WORKSHOP_FILE", "WORKSHOP_QUEUE_URL"


class StageError(Exception):
    """The play cannot go on. who: the process that is to blame."""

    def __init__(self, who: str, text: str) -> None:
        super().__init__(text)
        self.who = who


@dataclass
class Stage:
    """Processes by name. events: what they have reported, each with `step`, `who` and `at_s`. show gets each event."""

    show: Callable[[Event], None]
    events: list[Event] = field(default_factory=list, init=False)
    _pids: dict[str, int] = field(default_factory=dict, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)
    _partial: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self._readable, self._writable = os.pipe()

    def start(self, who: str, run: Callable[[], object]) -> None:
        """Run a function in a new process, until it returns or is killed. What it prints goes to stderr."""
        sys.stdout.flush()
        parent = os.getpid()
        if pid := os.fork():
            self._pids[who] = pid
            return
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if (bind := killed_with(parent)) is not None:
                bind()
            os.dup2(2, 1)
            run()
        except BaseException as exc:  # noqa: BLE001 - the attendee's code may raise anything, SystemExit too
            self.report("failed", who, error=described(exc, Path(os.environ[_FILE])))
        finally:
            os._exit(0)

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return round(time.monotonic() - self._began, 3)

    def report(self, step: str, who: str, **fields: Any) -> None:
        """Add an event, from any process of the stage."""
        short = {name: value[:_TEXT_CHARACTERS] if isinstance(value, str) else value for name, value in fields.items()}
        event = {"step": step, "who": who, "at_s": self.now_s, **short}
        os.write(self._writable, json.dumps(event).encode() + b"\n")

    def kill(self, who: str) -> None:
        """End a process at once, as a crash would."""
        pid = self._pids.pop(who)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def until(self, condition: Callable[[], object], within_s: float) -> bool:
        """Wait until the events meet a condition; return whether they did in this time."""
        deadline = time.monotonic() + within_s
        while not condition():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            if select.select([self._readable], [], [], min(left_s, _LOOK_S))[0]:
                self._take(os.read(self._readable, 65536))
            else:
                self._all_alive()
        return True

    def found(self, step: str, **fields: Any) -> list[Event]:
        """Return the events of this kind with these values."""
        return [each for each in self.events if each["step"] == step and fields.items() <= each.items()]

    def close(self) -> None:
        """End all processes."""
        for who in list(self._pids):
            with suppress(ProcessLookupError, ChildProcessError):
                self.kill(who)

    def _all_alive(self) -> None:
        for who, pid in list(self._pids.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del self._pids[who]
            if select.select([self._readable], [], [], 0)[0]:
                self._take(os.read(self._readable, 65536))  # it has reported why
            raise StageError(who, f"its process has ended (exit code {os.waitstatus_to_exitcode(status)})")

    def _take(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            self.events.append(event)
            self.show(event)


def function(name: str) -> Callable[..., Any]:
    """Load the attendee's file in this process, and return a function of it; raise LookupError if it has none."""
    found = runpy.run_path(os.environ[_FILE]).get(name)
    if not callable(found):
        raise LookupError(f"the file has no function {name}")  # noqa: TRY004 - it is not there, or not a function
    return found  # type: ignore[no-any-return]


def play(run: Callable[[Stage, str], None], describe: Callable[[Event], str], *, file: str, queue: str) -> None:
    """Run a program on a stage, as an attendee or for a check: run gets the URL of the exercise's queue.

    describe: an event in words. file: the attendee's. queue: the exercise's, without the beginning of its name.
    """
    options = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    options.add_argument("--json", action="store_true", help="print each event as a line of JSON")
    as_json = options.parse_args().json

    def show(event: Event) -> None:
        print(json.dumps(event) if as_json else f"{event['at_s']:6.2f} s  {describe(event)}", flush=True)
        if event["step"] == "failed":
            raise SystemExit(_FAILED)

    stage = Stage(show)
    try:
        if _QUEUE_URL not in os.environ:
            _use_the_system(file, queue)
        run(stage, os.environ[_QUEUE_URL])
    except StageError as exc:
        show({"step": "failed", "who": exc.who, "at_s": stage.now_s, "error": str(exc)})
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        stage.close()


def perform(board: "Board", program: Path, *, file: str, queue: str, within_s: float) -> list[Event]:
    """Run a program for a check; return its events. Raises UsageError if the attendee's file cannot be run."""
    board.text(file)
    try:
        queue_url = board.target.queue_url(f"{board.own}-{queue}")
    except board.target.sqs.exceptions.QueueDoesNotExist as exc:
        raise UsageError(f"The queue {board.own}-{queue} is gone. Open the exercise again.") from exc
    log = board.workspace.logs_dir / f"{Path(file).stem}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-B", str(program), "--json"],
            env=_environment(board.target, board.files / file, queue_url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired as exc:
            raise UsageError(f"{file} did not come to an end within {within_s:g} s. Its output: {log}") from exc
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    events: list[Event] = [json.loads(line) for line in out.splitlines()]
    if failed := [each for each in events if each["step"] == "failed"]:
        raise UsageError(f"{file} does not work: {failed[0]['error']}. Its output: {log}")
    if process.returncode:
        raise UsageError(f"{program.name} has failed (exit code {process.returncode}). Its output: {log}")
    return events


def of(events: Iterable[Event], step: str, name: str) -> list[Any]:
    """Return a field of the events of one kind, in order."""
    return [each[name] for each in events if each["step"] == step]


def _use_the_system(file: str, queue: str) -> None:
    from orderboard.system.connect import connect, running  # noqa: PLC0415 - a check has connected already
    from orderboard.system.workspace import find_workspace  # noqa: PLC0415
    from orderboard.workshop.workshop import Workshop  # noqa: PLC0415

    path = Workshop(find_workspace()).files / file
    try:
        target = connect()
        url = target.queue_url(f"{running()[1].prefix}-workshop-{queue}")
    except RigError as exc:
        raise SystemExit(str(exc)) from None
    except AWS_ERRORS as exc:
        raise SystemExit(f"{_OPEN} ({exc})") from None
    if not path.exists():
        raise SystemExit(f"{path} is missing. {_OPEN}")
    os.environ |= _environment(target, path, url)


def _environment(target: Connection, file: Path, queue_url: str) -> dict[str, str]:
    found = {**os.environ, **client_environment(target.endpoint, os.environ)}
    own = {_FILE: str(file), _QUEUE_URL: queue_url, "NO_PROXY": "*", "no_proxy": "*"}
    return {name: value for name, value in found.items() if value is not None} | own

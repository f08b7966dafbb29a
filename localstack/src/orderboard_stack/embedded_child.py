"""The process that keeps localbus and MiniStack running: an engine that dies is started again, on the same port.

Run as `python -m orderboard_stack.embedded_child SCRATCH_DIR attached|detached OPTIONS...`, as the leader of a new
process group. The options are those of `python -m localbus`; MiniStack's settings are in the environment. Each engine
leads a group, so that its functions end with it, and watches a pipe that is open here, so that it ends with this
process. This file imports little: the process takes 5 MB that way instead of 12.
"""

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

ENGINES_FILE: Final = "engines.json"
# An engine that answered for this long has started well. One that ends sooner has failed once more in a row.
_STEADY_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.25
_MOST_FAILURES: Final = 6  # the pauses between them are 7.75 s together
_CHECKS_EVERY_S: Final = 0.05
_HOST: Final = "127.0.0.1"


class NotKeptError(Exception):
    """An engine that is not started again; the message says why."""


class Engine:
    """One engine: its process, and how often it was started. Times are those of time.monotonic()."""

    def __init__(self, name: str, arguments: Sequence[str], port: int) -> None:
        self.name = name
        self.pid: int | None = None
        self.starts = 0
        self.start_at: float | None = 0.0  # None while it runs
        self.last_ending: str | None = None
        self._arguments = arguments
        self._address = (_HOST, port)
        self._answered_at: float | None = None
        self._failures = 0

    @property
    def is_starting(self) -> bool:
        """True while it runs and has not answered yet."""
        return self.pid is not None and self._answered_at is None

    def start(self, pipe: int) -> None:
        """Start it with this pipe as its standard input. Raises NotKeptError when that fails again and again."""
        self.starts += 1
        self.start_at = self._answered_at = None
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", *self._arguments],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, pipe, 0)],
                setpgroup=0,
            )
        except OSError as exc:  # no memory, or too many processes
            self._failures += 1
            self._start_again(str(exc.strerror), time.monotonic())

    def check(self) -> None:
        """Learn whether it has ended, or answers for the first time. Raises NotKeptError when it is not kept."""
        if self.pid is None:
            return
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if ended:
            self.stop()
            self.on_end(os.waitstatus_to_exitcode(status), time.monotonic())
        elif self._answered_at is None:
            with socket.socket() as probe, suppress(OverflowError):
                if probe.connect_ex(self._address) == 0:
                    self._answered_at = time.monotonic()

    def on_end(self, code: int, now: float) -> None:
        """Decide when to start it again after it ended, with a code as of subprocess. Raises NotKeptError."""
        ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        is_steady = self._answered_at is not None and now - self._answered_at >= _STEADY_S
        if self.starts == 1 and code > 0 and not is_steady:  # such as a folder that it cannot use
            raise NotKeptError(f"{self.name} did not start ({ending}). The reason is above.")
        self._failures = 0 if is_steady else self._failures + 1
        self._start_again(ending, now)

    def _start_again(self, ending: str, now: float) -> None:
        self.last_ending = ending
        if self._failures > _MOST_FAILURES:
            raise NotKeptError(
                f"{self.name} ended {self._failures} times in a row, the last time with {ending}. It is not started "
                "again, and the backend ends. The reason is above."
            )
        self.start_at = now + (_FIRST_PAUSE_S * 2 ** (self._failures - 2) if self._failures > 1 else 0.0)
        _report(f"{self.name} ended ({ending}). It is started again.")

    def stop(self) -> None:
        """Kill its group: the engine itself, and its functions, which outlive a killed engine."""
        pid, self.pid = self.pid, None
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS has the second for a group of zombies
                os.killpg(pid, signal.SIGKILL)


class Supervisor:
    """The engines, from their first start to the end of this process."""

    def __init__(self, engines: Sequence[Engine], scratch: str, *, attached: bool) -> None:
        self._engines = engines
        self._file = f"{scratch}/{ENGINES_FILE}"
        self._pipe, self._held = os.pipe()  # its writing end closes with this process
        self._wakes, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._watched = [self._wakes, *([0] if attached else [])]

    def run(self) -> None:
        """Keep the engines running until the starter is gone. Raises NotKeptError."""
        while True:
            for engine in self._engines:
                if engine.start_at is not None and engine.start_at <= time.monotonic():
                    engine.start(self._pipe)
                    self._record()
            readable, _, _ = select.select(self._watched, [], [], self._pause_s())
            if 0 in readable and not os.read(0, 64):
                return
            if self._wakes in readable:
                os.read(self._wakes, 4096)
            for engine in self._engines:
                engine.check()

    def _pause_s(self) -> float | None:
        """The longest wait for an event; None for as long as it takes."""
        pauses = [_CHECKS_EVERY_S for engine in self._engines if engine.is_starting]
        pauses += [engine.start_at - time.monotonic() for engine in self._engines if engine.start_at is not None]
        return max(0.0, min(pauses)) if pauses else None

    def _record(self) -> None:
        """Write what `local_processes.read_engines` reads."""
        found = {
            each.name: {"pid": each.pid, "restarts": max(0, each.starts - 1), "last_ending": each.last_ending}
            for each in self._engines
        }
        # Without pathlib, which takes 1 MB. A full disk must not end this process.
        with suppress(OSError):
            with open(f"{self._file}.partial", "w") as file:
                json.dump(found, file)
            os.replace(f"{self._file}.partial", self._file)


def _report(line: str) -> None:
    with suppress(OSError):  # the log's disk is full
        print(line, flush=True)


@contextmanager
def _reserved(port: int) -> Iterator[None]:
    """Bind the port without listening: while its engine is away, no connection of another program can take it.

    Linux permits the engine to bind it too; elsewhere that fails. Raises NotKeptError if another program has the port.
    """
    with socket.socket() as reserved:
        if sys.platform == "linux":
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                reserved.bind((_HOST, port))
            except OverflowError:  # not a port, which the engine reports
                pass
            except OSError as exc:
                raise NotKeptError(f"port {port} of {_HOST} is already in use.") from exc
        yield


def main() -> NoReturn:
    """Keep both engines running until the end."""
    scratch, attached, options = sys.argv[1], sys.argv[2] == "attached", sys.argv[3:]
    ports = int(options[options.index("--port") + 1]), int(os.environ["GATEWAY_PORT"])
    engines = (
        Engine("localbus", ["orderboard_stack.localbus_child", scratch, *options], ports[0]),
        Engine("MiniStack", ["orderboard_stack.ministack_child", scratch, "kept"], ports[1]),
    )
    try:
        with _reserved(ports[0]), _reserved(ports[1]):
            Supervisor(engines, scratch, attached=attached).run()
    except NotKeptError as exc:
        _report(str(exc))
    for engine in engines:
        engine.stop()
    from orderboard_stack.parent_watch import end_group  # noqa: PLC0415 - takes 4 MB

    end_group(scratch)


if __name__ == "__main__":
    main()

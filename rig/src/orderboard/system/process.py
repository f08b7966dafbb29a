"""One child process: started with a log file, awaited until it is ready, ended within a deadline."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from orderboard_stack.parent_watch import killed_with
from orderboard_stack.process import answers, listening_ports, tail

from orderboard.errors import RigError


class NotReadyError(RigError):
    """The process ended, or was not ready in time. The message ends with the tail of its log."""


class PortTakenError(NotReadyError):
    """It ended because another program has its port. Start it on another port."""


@dataclass(frozen=True)
class ChildProcess:
    """A process that this one started."""

    name: str
    popen: subprocess.Popen[bytes]
    log_path: Path

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's id as well."""
        return self.popen.pid

    def running(self) -> bool:
        """Return whether it has not ended."""
        return self.popen.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.popen.kill()
        self.popen.wait()

    def send(self, document: object) -> None:
        """Write a JSON document to its standard input and close that. The process may have ended."""
        if (stdin := self.popen.stdin) is not None:
            with suppress(BrokenPipeError), stdin:
                stdin.write(json.dumps(document).encode())


def ending(code: int) -> str:
    """Return the signal that ended a process, such as SIGKILL, or its exit code; `code` as of subprocess."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def stop_all(processes: Sequence[ChildProcess], *, deadline_s: float) -> None:
    """Send SIGTERM to all, and SIGKILL to those that still run after the deadline."""
    until = time.monotonic() + deadline_s
    for process in processes:
        process.popen.terminate()
    for process in processes:
        try:
            process.popen.wait(timeout=max(0.01, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()


def start(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log_path: Path,
    *,
    outlives_us: bool,
    reads_stdin: bool = False,
) -> ChildProcess:
    """Start a process in its own group, so that the terminal's Ctrl-C reaches only us and we end it in order.

    Unless it outlives us, it dies with us even when we are killed (Linux). Call this on the main thread only: see
    killed_with.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        popen = subprocess.Popen(
            arguments,
            env=dict(environment),
            stdin=subprocess.PIPE if reads_stdin else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=None if outlives_us else killed_with(os.getpid()),  # noqa: PLW1509 - our threads hold no locks
        )
    return ChildProcess(name, popen, log_path)


def wait_ready(child: ChildProcess, url: str, *, deadline_s: float) -> None:
    """Wait until GET url answers 200 and the process itself listens there (a program that took the port first would
    answer as well). Raise NotReadyError when the process ends first, or time does.
    """
    until = time.monotonic() + deadline_s
    while time.monotonic() < until:
        if not child.running():
            log = tail(child.log_path)
            error = PortTakenError if "already in use" in log else NotReadyError
            raise error(f"{child.name} ended ({ending(child.popen.returncode)}).\n{log}")
        if urlsplit(url).port in listening_ports(child.pid) and answers(url):
            return
        time.sleep(0.02)
    raise NotReadyError(f"{child.name} was not ready within {deadline_s:g} s ({url}).\n{tail(child.log_path)}")

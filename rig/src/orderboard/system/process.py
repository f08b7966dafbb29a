"""One child process: started with a log file, awaited until it is ready, ended within a deadline."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from orderboard.errors import RigError

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None

_past_proxies: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotReadyError(RigError):
    """The process ended, or was not ready in time. The message ends with its log's tail."""


class PortTakenError(NotReadyError):
    """It ended because somebody else has its port. Start it at another."""


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
        """Whether it has not ended."""
        return self.popen.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.popen.kill()
        self.popen.wait()


def stop_all(processes: Sequence[ChildProcess], *, deadline_s: float) -> None:
    """Ask all to end (SIGTERM), and make those end (SIGKILL) that have not within the deadline."""
    until = time.monotonic() + deadline_s
    for process in processes:
        process.popen.terminate()
    for process in processes:
        try:
            process.popen.wait(timeout=max(0.01, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()


def start(
    name: str, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path, *, outlives_us: bool
) -> ChildProcess:
    """Start a process in a group of its own, so that the terminal's Ctrl-C reaches only us and we end it in order.

    Unless it outlives us it is told to die with us, even when we are killed (Linux). The kernel ties that to the thread
    that starts it, so call this on the main thread only. https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        popen = subprocess.Popen(
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=None if outlives_us else _die_with(os.getpid()),  # noqa: PLW1509 - no thread of ours holds a lock
        )
    return ChildProcess(name, popen, log_path)


def _die_with(parent: int) -> Callable[[], None] | None:
    if _LIBC is None:
        return None

    def bind() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return bind


def wait_ready(child: ChildProcess, url: str, *, deadline_s: float) -> None:
    """Wait until GET url answers 200, and it is the process itself that listens there: a stranger who was faster at the
    port answers as well. Raise NotReadyError when the process ends first, or time does.
    """
    until = time.monotonic() + deadline_s
    while time.monotonic() < until:
        if not child.running():
            log = tail(child.log_path)
            ended = PortTakenError if "already in use" in log else NotReadyError
            raise ended(f"{child.name} ended with code {child.popen.returncode}.\n{log}")
        if _listens(child.pid, urlsplit(url).port) and answers(url):
            return
        time.sleep(0.02)
    raise NotReadyError(f"{child.name} was not ready within {deadline_s:g} s ({url}).\n{tail(child.log_path)}")


def _listens(pid: int, port: int | None) -> bool:
    with suppress(psutil.Error):
        connections = psutil.Process(pid).net_connections("tcp")
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)
    return False


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Whether GET url answers 200."""
    try:
        with _past_proxies.open(url, timeout=timeout_s) as response:
            return bool(response.status == 200)
    except OSError:  # refused, reset, timed out, or another status
        return False


def tail(log_path: Path, lines: int = 12) -> str:
    """The last lines of a log, and where the rest is."""
    try:
        text = log_path.read_text(errors="replace").splitlines()
    except OSError:
        text = []
    return "\n".join([f"The log's end ({log_path}):", *(f"  {line}" for line in text[-lines:] or ["(empty)"])])

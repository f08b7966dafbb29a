"""The embedded backend: MiniStack (PyPI) as one child process on a free port of 127.0.0.1. It needs no Docker.

All state is in memory and gone when it ends. Functions run on this machine's own Python, as processes of its group.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from orderboard_stack.backend import DEFAULT_REGION, Endpoint, read_json

HOST: Final = "127.0.0.1"
_CHILD: Final = "orderboard_stack.embedded_child"
_STARTS: Final = 3
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class EmbeddedStartError(Exception):
    """The child ended or did not answer in time; the message has the end of its log."""


class _PortTakenError(Exception):
    """Somebody else took the port between our choice and its use."""


@dataclass
class EmbeddedBackend:
    """A running embedded backend. pid leads the process group of MiniStack and its functions."""

    endpoint: Endpoint
    pid: int
    log_path: Path
    _child: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def stop(self) -> None:
        """End it with its functions and remove its files. Ending one that has ended is fine."""
        stop_embedded(self.pid, self.log_path)
        if self._child is not None:
            if self._child.stdin is not None:
                self._child.stdin.close()
            self._child.wait(timeout=10)


def start_embedded(
    log_path: Path, *, port: int | None = None, detached: bool = False, within_s: float = 30
) -> EmbeddedBackend:
    """Start it and wait until it answers; raise EmbeddedStartError when it does not.

    It ends with the calling process, however that ends, unless detached: then stop_embedded ends it. port: None takes
    a free one. What it writes goes to log_path and to a folder beside it, which goes when it ends.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _STARTS + 1):
        try:
            return _start(log_path, port or _free_port(), detached=detached, within_s=within_s)
        except _PortTakenError as exc:
            if port is not None or attempt == _STARTS:
                raise EmbeddedStartError(f"Port {port or 'of our choice'} on {HOST} is taken: {exc}") from exc
    raise AssertionError("unreachable")


@contextmanager
def embedded(log_path: Path) -> Iterator[Endpoint]:
    """Run it for the length of a with block."""
    backend = start_embedded(log_path)
    try:
        yield backend.endpoint
    finally:
        backend.stop()


def stop_embedded(pid: int, log_path: Path) -> bool:
    """End a backend by its pid, from any process, and say whether it was still running.

    A pid that now belongs to something else is left alone.
    """
    running = _is_ours(pid)
    if running:
        process = psutil.Process(pid)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout=10)
    shutil.rmtree(_scratch(log_path), ignore_errors=True)
    return running


def _start(log_path: Path, port: int, *, detached: bool, within_s: float) -> EmbeddedBackend:
    scratch = _scratch(log_path)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", _CHILD, str(scratch), "detached" if detached else "attached"],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(port, scratch),
            start_new_session=True,  # Ctrl-C is for us; and one group to end
        )
    endpoint = Endpoint("embedded", f"http://{HOST}:{port}")
    backend = EmbeddedBackend(endpoint, child.pid, log_path, child)
    try:
        _wait_until_ready(child, port, log_path, within_s)
    except BaseException:
        backend.stop()
        raise
    return backend


def _environment(port: int, scratch: Path) -> Mapping[str, str]:
    """What MiniStack reads; nothing else of ours, so that no proxy and no AWS account of the user leaks into it."""
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BIND_HOST": HOST,
        "DOCKER_HOST": f"unix://{scratch}/no-docker",  # it would look for containers of its own to remove
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_HOST": HOST,  # the host in queue URLs
        "MINISTACK_REGION": DEFAULT_REGION,
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(scratch / "s3"),
        "STATE_DIR": str(scratch / "state"),
        "TMPDIR": str(scratch),
    }


def _wait_until_ready(child: "subprocess.Popen[bytes]", port: int, log_path: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if child.poll() is not None:
            if "already in use" in (tail := _tail(log_path)):
                raise _PortTakenError(tail)
            raise EmbeddedStartError(f"MiniStack ended at once (exit {child.returncode}). Its log, {log_path}:\n{tail}")
        if _listens(child.pid, port) and read_json(f"http://{HOST}:{port}/_ministack/health", 2) is not None:
            return
        time.sleep(0.02)
    raise EmbeddedStartError(f"MiniStack did not answer within {within_s} s. Its log, {log_path}:\n{_tail(log_path)}")


def _listens(pid: int, port: int) -> bool:
    """Whether it is our child that has the port, and not somebody who was faster."""
    with suppress(psutil.Error):
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in psutil.Process(pid).net_connections("tcp4")
        )
    return False


def _is_ours(pid: int) -> bool:
    with suppress(psutil.Error):
        return _CHILD in psutil.Process(pid).cmdline()
    return False


def _scratch(log_path: Path) -> Path:
    return log_path.with_name(f"{log_path.name}.files").absolute()


def _tail(log_path: Path, lines: int = 20) -> str:
    return "\n".join(log_path.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port

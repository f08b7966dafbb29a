"""The engines under measurement: each a process of its own on a free port, and what it uses."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Engine:
    """A running engine. `ready_s` is how long it took from its start to its first answer."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    ready_s: float

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def cpu_s(self) -> float:
        """The processor seconds of all its threads so far."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory_bytes(self) -> int:
        """What it holds in memory (resident)."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def localbus(*arguments: str) -> Iterator[Engine]:
    """A localbus."""
    port = _free_port()
    command = [sys.executable, "-m", "localbus", "--port", str(port), *arguments]
    with _running("localbus", command, dict(os.environ), port, "/_localbus/health") as engine:
        yield engine


@contextmanager
def ministack() -> Iterator[Engine]:
    """A MiniStack that writes no log of its requests and finds no containers."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        environment = os.environ | {
            "BIND_HOST": HOST,
            "DOCKER_HOST": f"unix://{scratch}/no-docker",
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "WARNING",
            "MINISTACK_HOST": HOST,
            "S3_DATA_DIR": f"{scratch}/s3",
            "STATE_DIR": f"{scratch}/state",
        }
        command = [sys.executable, "-m", "ministack"]
        with _running("MiniStack", command, environment, port, "/_ministack/health") as engine:
            yield engine


@contextmanager
def _running(name: str, command: list[str], environment: dict[str, str], port: int, path: str) -> Iterator[Engine]:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, f"http://{HOST}:{port}{path}")
        yield Engine(name, process, port, time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.perf_counter() + READY_WITHIN_S
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended at once (exit {process.returncode})")
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 (our own child on loopback)
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(f"{url} did not answer within {READY_WITHIN_S} s")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    return port

"""The engines under measurement: each a process on a free port, with its CPU time and memory."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orderboard_stack.process import free_port

HOST = "127.0.0.1"
READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Engine:
    """A running engine. `ready_s` is the time from its start to its first response."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    ready_s: float

    @property
    def url(self) -> str:
        """Its endpoint URL."""
        return f"http://{HOST}:{self.port}"

    def cpu_s(self) -> float:
        """The CPU seconds of all its threads so far."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory_bytes(self) -> int:
        """Its resident memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def localbus(*arguments: str) -> Iterator[Engine]:
    """Run a localbus."""
    port = free_port()
    with _running("localbus", ["localbus", "--port", str(port), *arguments], {}, port, "/_localbus/health") as engine:
        yield engine


@contextmanager
def ministack() -> Iterator[Engine]:
    """Run a MiniStack without request log and containers."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        environment = {
            "BIND_HOST": HOST,
            "DOCKER_HOST": f"unix://{scratch}/no-docker",
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "WARNING",
            "MINISTACK_HOST": HOST,
            "S3_DATA_DIR": f"{scratch}/s3",
            "STATE_DIR": f"{scratch}/state",
        }
        with _running("MiniStack", ["ministack"], environment, port, "/_ministack/health") as engine:
            yield engine


@contextmanager
def _running(name: str, module: list[str], environment: Mapping[str, str], port: int, path: str) -> Iterator[Engine]:
    started, quiet = time.perf_counter(), subprocess.DEVNULL
    command = [sys.executable, "-m", *module]
    process = subprocess.Popen(command, env=os.environ | environment, stdout=quiet, stderr=quiet)
    try:
        _wait_ready(process, f"http://{HOST}:{port}{path}", started + READY_WITHIN_S)
        yield Engine(name, process, port, time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(process: subprocess.Popen[bytes], url: str, deadline: float) -> None:
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

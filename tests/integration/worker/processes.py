"""Worker processes for tests: start, query, signal, and guaranteed end."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.stack import DeployedStack
from support.waiting import eventually


@dataclass
class WorkerProcess:
    """A running `python -m worker` and its log."""

    log_path: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def lines(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the log lines of this event, or all."""
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if name in (None, line["message"])]

    async def polls(self) -> None:
        """Wait until it polls its queues."""
        await eventually(lambda: self.lines("worker.polling"), within_s=20)

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of /healthz."""
        address = self.lines("worker.started")[0]["metrics_url"]
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as response:  # noqa: S310 - our own address
                return response.status, json.load(response)
        except urllib.error.HTTPError as response:
            with response:
                return response.code, json.load(response)

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)

    def wait(self, within_s: float = 15) -> int:
        """Wait for its end and return its exit status."""
        return self.process.wait(within_s)

    def drain(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()


@contextmanager
def worker_process(
    stack: DeployedStack, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[WorkerProcess]:
    """Run a worker for the length of the block; kill it if it still runs afterwards."""
    log_path = folder / f"worker-{len(list(folder.glob('worker-*.log')))}.log"
    settings = {"ORDERBOARD_ALLOW_FAULTS": "true", "ORDERBOARD_RECEIVE_WAIT_S": "1"}
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "worker", *arguments],
            env={**os.environ, **stack.environment, **settings, **(environment or {})},
            stderr=log,
        ) as process,
    ):
        try:
            yield WorkerProcess(log_path, process)
        finally:
            if process.poll() is None:
                process.kill()

"""Workers as processes of their own, as they run for real: started, asked, signalled, and never left behind."""

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

from support import DeployedStack, eventually


@dataclass
class WorkerProcess:
    """A `python -m worker` that runs, and what it logged."""

    log_path: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def lines(self, name: str | None = None) -> list[dict[str, Any]]:
        """Its log lines of this name, or all."""
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if name in (None, line["message"])]

    async def polls(self) -> None:
        """Wait until it is wired and polls."""
        await eventually(lambda: self.lines("worker.polling"), within_s=20)

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of its /healthz."""
        address = self.lines("worker.started")[0]["metrics_url"]
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:  # noqa: S310 - our own address
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)

    def wait(self, within_s: float = 15) -> int:
        """Wait for its end; its exit status."""
        return self.process.wait(within_s)

    def drain(self) -> int:
        """SIGTERM, and its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()


@contextmanager
def worker_process(
    stack: DeployedStack, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[WorkerProcess]:
    """Run a worker for the length of the block; what still runs then is killed."""
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

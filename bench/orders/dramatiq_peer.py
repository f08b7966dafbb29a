"""dramatiq on dramatiq_sqs as the worker's peer: 2 processes with 8 threads each, on a queue with its own messages."""

import json
import os
import signal
import sys
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from orderboard.calibration.operations import BATCH, batches, make_orders
from orderboard.errors import RigError
from orderboard.orders.queues import depth
from orderboard.system.process import ChildProcess, start, stop_all
from orderboard.system.workspace import find_workspace
from orders.running import RunningSystem

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from clients.installed import HERE as CLIENTS
from clients.installed import python_environment

_PROCESSES: Final = 2
_THREADS: Final = 8
_READY_WITHIN_S: Final = 30.0
_IDLE_S: Final = 3.0  # longer than its long poll, so that every receive has returned
_POLL_S: Final = 0.05


@dataclass(frozen=True)
class DramatiqPeer:
    """dramatiq, paused except while it is measured."""

    running: RunningSystem
    process: ChildProcess
    queue_url: str

    def drain(self, count: int) -> float:
        """Process a backlog of so many orders; return the seconds."""
        self._fill(count)
        began = time.perf_counter()
        self._signal(signal.SIGCONT)
        try:
            while depth(self.running.system.target.sqs, self.queue_url).total:
                time.sleep(_POLL_S)
            return time.perf_counter() - began
        finally:
            self.pause()

    def pause(self) -> None:
        """Let its receives return empty, then stop it."""
        time.sleep(_IDLE_S)
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue it, also before it is ended: a paused process handles no SIGTERM."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _fill(self, count: int) -> None:
        target = self.running.system.target
        for ten in batches(make_orders(count, target), BATCH):
            entries = [{"Id": str(number), "MessageBody": _message(order.body)} for number, order in enumerate(ten)]
            target.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)  # type: ignore[arg-type]


@contextmanager
def dramatiq_peer(running: RunningSystem) -> Iterator[DramatiqPeer]:
    """Start dramatiq, installing it first if it is missing, and pause it. RigError if that fails."""
    target = running.system.target
    outputs, folder = target.outputs, Path(__file__).parents[1]
    path = os.pathsep.join((str(folder), str(find_workspace().root / "contracts" / "src")))
    environment = dict(os.environ) | target.endpoint.environment() | outputs.environment() | {"PYTHONPATH": path}
    command = [str(_python()), "-m", "dramatiq", "orders.dramatiq_app"]
    command += ["--processes", str(_PROCESSES), "--threads", str(_THREADS), "--queues", "peer"]
    log_path = running.system.options.services.logs_dir / "dramatiq.log"
    process = start("dramatiq", command, environment, log_path, outlives_us=False)
    peer = DramatiqPeer(running, process, "")
    try:
        peer = DramatiqPeer(running, process, _queue_url(running, process, f"{outputs.work_queue}_peer"))
        peer.pause()
        yield peer
    finally:
        peer.resume()
        stop_all([process], deadline_s=5)
        if peer.queue_url:
            target.sqs.delete_queue(QueueUrl=peer.queue_url)


def _python() -> Path:
    try:
        return python_environment(CLIENTS / "tools" / "python.lock") / "python"
    except pytest.skip.Exception as exc:
        raise RigError(str(exc)) from exc


def _queue_url(running: RunningSystem, process: ChildProcess, name: str) -> str:
    """Wait until dramatiq has created its queue; return the queue's URL."""
    sqs = running.system.target.sqs
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and process.running():
        with suppress(sqs.exceptions.QueueDoesNotExist):
            return sqs.get_queue_url(QueueName=name)["QueueUrl"]
        time.sleep(_POLL_S)
    raise RigError(f"dramatiq did not start; see {process.log_path}:\n{process.log_path.read_text()[-2000:]}")


def _message(body: str) -> str:
    """Return the text that dramatiq_sqs sends for a call of the actor with an order."""
    call: dict[str, object] = {"queue_name": "peer", "actor_name": "make", "args": [body], "kwargs": {}, "options": {}}
    call |= {"message_id": str(uuid.uuid4()), "message_timestamp": int(time.time() * 1000)}
    return b64encode(json.dumps(call).encode()).decode()

"""The status of a system: processes, queue depths, recorded orders, alarms."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from orderboard_stack.local_processes import EngineState, read_engines
from orderboard_stack.process import answers

from orderboard.orders.queues import Depth, depth
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.state import KnownProcess, State
from orderboard.system.target import AWS_ERRORS, Target
from orderboard.system.worker_function import WorkerFunction

_START_ALL: Final = "orderboard down && orderboard up"


@dataclass(frozen=True)
class ProcessStatus:
    """A process that `up` started. memory is its own, then that of its children; empty when it has ended.

    ending is the signal or exit code that ended it, where the system still knows it; else stopped, failed or killed, as
    far as its log shows.
    """

    name: str
    pid: int
    memory: tuple[MemoryUse, ...]
    ending: str | None = None
    url: str | None = None

    @property
    def start_command(self) -> str:
        """The command that starts it again."""
        return f"orderboard worker start {self.name}" if self.name.startswith("worker-") else _START_ALL


@dataclass(frozen=True)
class Status:
    """The system at one moment. SQS's counts are approximate. orders is None where a count would scan a large table."""

    backend: str
    endpoint_url: str | None
    api_url: str | None
    api_ready: bool | None
    processes: tuple[ProcessStatus, ...]
    queues: dict[str, Depth]
    orders: int | None
    alarms: tuple[str, ...] | None
    engines: dict[str, EngineState] = field(default_factory=dict)  # of the embedded backend, by name
    # If the worker is a function: the state of its mappings by the role of their queue.
    worker_function: dict[str, str] | None = None
    missing_table: str | None = None  # the orders table, if it is gone

    @property
    def ended(self) -> tuple[ProcessStatus, ...]:
        """The processes that should run and do not."""
        return tuple(each for each in self.processes if not each.memory)

    @property
    def healthy(self) -> bool:
        """True if everything that should run does."""
        polls = all(state == "Enabled" for state in (self.worker_function or {}).values())
        return self.api_ready is not False and not self.ended and polls and self.missing_table is None

    def document(self) -> dict[str, object]:
        """The status as JSON."""
        return asdict(self) | {"healthy": self.healthy}


def read_status(target: Target, state: State | None, logs_dir: Path) -> Status:
    """Read everything once. state is None for a system that was not started here. logs_dir: of one that was."""
    missing_table = _missing_table(target)
    return Status(
        backend=target.endpoint.name,
        endpoint_url=target.endpoint.endpoint_url,
        api_url=target.api_url,
        api_ready=None if target.api_url is None else answers(f"{target.api_url}/readyz", timeout_s=10),
        # The last in memory_use is this command itself.
        processes=tuple(
            ProcessStatus(each.name, each.pid, memory_use([each])[:-1], ending_of(each, logs_dir), each.url)
            for each in (state.processes if state else ())
        ),
        queues={name: depth(target.sqs, target.queue_url(name)) for name in target.outputs.queues},
        orders=None if missing_table is not None else _orders(target),
        missing_table=missing_table,
        alarms=_alarms(target),
        worker_function=None if target.outputs.worker_function is None else WorkerFunction(target).states(),
        engines=read_engines(state.backend_log) if state is not None and state.backend_log is not None else {},
    )


def ending_of(process: KnownProcess, logs_dir: Path) -> str | None:
    """Return what ended a process; None while it runs, and if that is not known.

    Only its parent can know the signal, and that is `up`, which has ended. The last words of a service show the rest.
    """
    if (known := process.ending()) is not None or process.find() is not None or process.name in ("backend", "console"):
        return known
    try:
        *_, last = (logs_dir / f"{process.name}.log").read_text(errors="replace").splitlines()
    except (OSError, ValueError):  # no log, or an empty one
        return None
    try:
        document = json.loads(last)
    except ValueError:  # a traceback
        return "failed"
    return "stopped" if isinstance(document, dict) and str(document.get("message")).endswith(".stopped") else "killed"


def _missing_table(target: Target) -> str | None:
    table, client = target.outputs.orders_table, target.dynamodb
    try:
        client.describe_table(TableName=table)
    except client.exceptions.ResourceNotFoundException:
        return table
    return None


def _orders(target: Target) -> int | None:
    if not target.endpoint.local:
        return None  # a count reads, and is billed for, every row
    pages = target.dynamodb.get_paginator("scan").paginate(TableName=target.outputs.orders_table, Select="COUNT")
    return sum(page["Count"] for page in pages)


def _alarms(target: Target) -> tuple[str, ...] | None:
    try:
        alarms = target.cloudwatch.describe_alarms(AlarmNamePrefix=f"{target.outputs.bus_name}-", StateValue="ALARM")
    except AWS_ERRORS:  # not every backend has alarms, nor every user the permission to see them
        return None
    # LocalStack returns all alarms, whatever StateValue says.
    return tuple(alarm["AlarmName"] for alarm in alarms["MetricAlarms"] if alarm["StateValue"] == "ALARM")

"""`status`: what runs, what waits in which queue, how many orders are recorded, which alarms ring."""

from dataclasses import asdict, dataclass

from rich.console import Console, Group, RenderableType

from orderboard.orders.queues import Depth, depth
from orderboard.system.process import answers
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.state import State
from orderboard.system.target import AWS_ERRORS, Target
from orderboard.terminal.tables import megabytes, plain_table


@dataclass(frozen=True)
class ProcessStatus:
    """A process that `up` started. memory is its own, then that of what runs under it; nothing when it has ended."""

    name: str
    pid: int
    memory: tuple[MemoryUse, ...]


@dataclass(frozen=True)
class Status:
    """Everything at one moment. SQS's counts are approximate. orders is None where a count would read a large table."""

    backend: str
    endpoint_url: str | None
    api_url: str | None
    api_ready: bool | None
    processes: tuple[ProcessStatus, ...]
    queues: dict[str, Depth]
    orders: int | None
    alarms: tuple[str, ...] | None

    @property
    def ended(self) -> tuple[str, ...]:
        """The names of the processes that should run and do not."""
        return tuple(each.name for each in self.processes if not each.memory)

    @property
    def healthy(self) -> bool:
        """Whether everything that should run does."""
        return self.api_ready is not False and not self.ended

    def document(self) -> dict[str, object]:
        """For --json."""
        return asdict(self) | {"healthy": self.healthy}


def look(target: Target, state: State | None) -> Status:
    """Look once."""
    return Status(
        backend=target.endpoint.name,
        endpoint_url=target.endpoint.endpoint_url,
        api_url=target.api_url,
        api_ready=None if target.api_url is None else answers(f"{target.api_url}/readyz", timeout_s=10),
        processes=() if state is None else _processes(state),
        queues={name: depth(target.sqs, target.queue_url(name)) for name in target.outputs.queues},
        orders=_orders(target),
        alarms=_alarms(target),
    )


def render(status: Status) -> Group:
    """As tables."""
    processes = plain_table("Processes")
    for name in ("process", "pid", "state", "MB"):
        processes.add_column(name, justify="right" if name in ("pid", "MB") else "left")
    for each in status.processes:
        own, *under = each.memory or (None,)
        state = "[bold red]has ended[/]" if own is None else "runs"
        processes.add_row(each.name, str(each.pid), state, "" if own is None else megabytes(own.best_bytes))
        for part in under:
            processes.add_row(f"  {part.name}", "", "runs", megabytes(part.best_bytes))
    queues = plain_table("Queues (approximate)")
    for name in ("queue", "waiting", "in flight", "delayed"):
        queues.add_column(name, justify="left" if name == "queue" else "right")
    for name, counts in status.queues.items():
        quiet = "dim" if counts.total == 0 else "bold"
        queues.add_row(name, str(counts.visible), str(counts.in_flight), str(counts.delayed), style=quiet)
    parts: list[RenderableType] = [processes, ""] if status.processes else []
    return Group(*parts, queues, "", *_lines(status))


def show(status: Status, console: Console) -> None:
    """Print it."""
    console.print(render(status))


def _lines(status: Status) -> list[str]:
    ready = {True: "ready", False: "[bold red]not ready[/] (see /readyz)", None: "not known here"}[status.api_ready]
    api, backend = ("order-api", status.api_url), ("backend", status.backend, status.endpoint_url)
    lines = [f" {' '.join(filter(None, api))} is {ready}; {' '.join(filter(None, backend))}"]
    if status.ended:
        lines.append(f" {', '.join(status.ended)} ended: its log says why. Begin anew: orderboard down, orderboard up")
    if status.orders is not None:
        lines.append(f" {status.orders} orders are recorded")
    if status.alarms is not None:
        lines.append(f" Alarms that ring: {', '.join(status.alarms) or 'none'}")
    return lines


def _processes(state: State) -> tuple[ProcessStatus, ...]:
    # The last that is measured is this command itself.
    return tuple(ProcessStatus(each.name, each.pid, memory_use([each])[:-1]) for each in state.processes)


def _orders(target: Target) -> int | None:
    if not target.endpoint.local:
        return None  # a count reads, and is billed for, every row
    pages = target.dynamodb.get_paginator("scan").paginate(TableName=target.outputs.orders_table, Select="COUNT")
    return sum(page["Count"] for page in pages)


def _alarms(target: Target) -> tuple[str, ...] | None:
    try:
        alarms = target.cloudwatch.describe_alarms(AlarmNamePrefix=f"{target.outputs.bus_name}-", StateValue="ALARM")
    except AWS_ERRORS:  # not every backend has alarms, nor every user the right to see them
        return None
    # LocalStack answers all alarms, whatever state is asked for.
    return tuple(alarm["AlarmName"] for alarm in alarms["MetricAlarms"] if alarm["StateValue"] == "ALARM")

"""The status of a system: processes, queue depths, recorded orders, alarms."""

from dataclasses import asdict, dataclass, field

from orderboard_stack.local_processes import EngineState, read_engines
from orderboard_stack.process import answers

from orderboard.orders.queues import Depth, depth
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.state import State
from orderboard.system.target import AWS_ERRORS, Target


@dataclass(frozen=True)
class ProcessStatus:
    """A process that `up` started. memory is its own, then that of its children; empty when it has ended.

    ending is the signal or exit code that ended it, where the system still knows it.
    """

    name: str
    pid: int
    memory: tuple[MemoryUse, ...]
    ending: str | None = None


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

    @property
    def ended(self) -> tuple[str, ...]:
        """The processes that should run and do not, with what ended them."""
        return tuple(
            each.name if each.ending is None else f"{each.name} ({each.ending})"
            for each in self.processes
            if not each.memory
        )

    @property
    def healthy(self) -> bool:
        """True if everything that should run does."""
        return self.api_ready is not False and not self.ended

    def document(self) -> dict[str, object]:
        """The status as JSON."""
        return asdict(self) | {"healthy": self.healthy}


def read_status(target: Target, state: State | None) -> Status:
    """Read everything once. state is None for a system that was not started here."""
    return Status(
        backend=target.endpoint.name,
        endpoint_url=target.endpoint.endpoint_url,
        api_url=target.api_url,
        api_ready=None if target.api_url is None else answers(f"{target.api_url}/readyz", timeout_s=10),
        # The last in memory_use is this command itself.
        processes=tuple(
            ProcessStatus(each.name, each.pid, memory_use([each])[:-1], each.ending())
            for each in (state.processes if state else ())
        ),
        queues={name: depth(target.sqs, target.queue_url(name)) for name in target.outputs.queues},
        orders=_orders(target),
        alarms=_alarms(target),
        engines=read_engines(state.backend_log) if state is not None and state.backend_log is not None else {},
    )


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

"""One look at the board: queues, workers, order-api, table, notifier. What cannot be told is None, never nought."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

import psutil
from orderboard_stack.outputs import StackOutputs

from orderboard.console.depths import Depths, Held
from orderboard.console.gauges import Sample, scrape, total
from orderboard.console.rates import Rates
from orderboard.console.source import Source
from orderboard.system.process import answers
from orderboard.system.state import KnownProcess, State
from orderboard.system.target import AWS_ERRORS, Target


def queue_names(outputs: StackOutputs) -> dict[str, tuple[str, str | None]]:
    """The queues by the short names that the page uses, each with its dead-letter queue."""
    return {
        "work": (outputs.work_queue, outputs.work_dlq),
        "express": (outputs.express_queue, outputs.express_dlq),
        "alerts": (outputs.alerts_queue, outputs.alerts_dlq),
        "inbox": (outputs.inbox_queue, outputs.inbox_dlq),
        "undelivered": (outputs.undelivered_queue, None),
    }


@dataclass(frozen=True)
class QueueLook:
    """One queue. SQS's counts are approximate. oldest_s: how long its oldest message has been there."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_s: float | None
    dlq_name: str | None
    dlq: int | None


@dataclass(frozen=True)
class WorkerLook:
    """One worker process: running, frozen (SIGSTOP) or stopped."""

    name: str
    pid: int
    state: str
    in_hand: int | None


@dataclass(frozen=True)
class BoardLook:
    """Everything at one moment. rates are per second; a rate that is not known is None."""

    at_s: float
    backend: str
    endpoint_url: str | None
    api_url: str | None
    api_ready: bool | None
    api_ms: float | None
    queues: dict[str, QueueLook]
    workers: tuple[WorkerLook, ...] | None
    orders: int | None
    mapping: str | None
    rates: dict[str, float | None]

    def document(self) -> dict[str, object]:
        """For the page."""
        return asdict(self)


@dataclass
class Looker:
    """Looks again and again, and remembers what rates and ages need."""

    source: Source
    clock: Callable[[], float] = time.time
    _rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        self._depths = Depths(self.source)

    def look(self) -> BoardLook:
        """Look once. Raises RigError or one of AWS_ERRORS when there is nothing to see."""
        target, state = self.source.reachable(), self.source.state()
        now, names = self.clock(), queue_names(target.outputs)
        dlqs = [dlq for _, dlq in names.values() if dlq is not None]
        found = self._depths.look([name for name, _ in names.values()], dlqs, now)
        workers, samples = _workers(state)
        api = scrape(target.api_url)
        orders = _orders(target)
        held = {
            key: found[name].depth.total + (found[dlq].depth.total if dlq is not None else 0)
            for key, (name, dlq) in names.items()
        }
        self._rates.measure(held, samples, api, orders, now_s=now)
        return BoardLook(
            at_s=now,
            backend=target.endpoint.name,
            endpoint_url=target.endpoint.endpoint_url,
            api_url=target.api_url,
            api_ready=None if target.api_url is None else api is not None or answers(f"{target.api_url}/healthz"),
            api_ms=self._rates.api_ms,
            queues={key: _queue(name, dlq, found) for key, (name, dlq) in names.items()},
            workers=workers,
            orders=orders,
            mapping=self._mapping(target),
            rates=dict(self._rates.per_s),
        )

    def _mapping(self, target: Target) -> str | None:
        try:
            return self.source.functions().get_event_source_mapping(UUID=target.outputs.notifier_mapping_id)["State"]
        except AWS_ERRORS:
            return None


def _queue(name: str, dlq: str | None, found: Mapping[str, Held]) -> QueueLook:
    counts = found[name].depth
    return QueueLook(
        name=name,
        waiting=counts.visible,
        in_flight=counts.in_flight,
        delayed=counts.delayed,
        oldest_s=found[name].oldest_s,
        dlq_name=dlq,
        dlq=None if dlq is None else found[dlq].depth.total,
    )


def process_state(process: KnownProcess) -> str:
    """running, frozen or stopped."""
    found = process.find()
    try:
        if found is None:
            return "stopped"
        return "frozen" if found.status() == psutil.STATUS_STOPPED else "running"
    except psutil.NoSuchProcess:
        return "stopped"


def _workers(state: State | None) -> tuple[tuple[WorkerLook, ...] | None, dict[int, list[Sample]]]:
    """The workers, None where somebody else started them; and the numbers of those that run."""
    if state is None:
        return None, {}
    looks, samples = [], {}
    for each in state.processes:
        if not each.name.startswith("worker-"):
            continue
        condition = process_state(each)
        numbers = scrape(each.url) if condition == "running" else None
        if numbers is not None:
            samples[each.pid] = numbers
        in_hand = None if numbers is None else int(total(numbers, "orderboard_worker_in_hand"))
        looks.append(WorkerLook(each.name, each.pid, condition, in_hand))
    return tuple(looks), samples


def _orders(target: Target) -> int | None:
    """How many rows the table has. AWS counts anew every six hours only, so there it is not known.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    if not target.endpoint.local:
        return None
    try:
        return target.dynamodb.describe_table(TableName=target.outputs.orders_table)["Table"].get("ItemCount")
    except AWS_ERRORS:
        return None

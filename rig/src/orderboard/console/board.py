"""One look at the board: queues, workers, order-api, table, notifier. What cannot be told is None, never nought."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

import psutil
from orderboard_stack.outputs import StackOutputs

from orderboard.console.gauges import Sample, scrape, total
from orderboard.console.peek import CannotPeekError, peek
from orderboard.console.rates import Rates
from orderboard.console.source import Source
from orderboard.process import answers
from orderboard.queues import Depth, depth
from orderboard.state import KnownProcess, State
from orderboard.target import AWS_ERRORS, Target

_OLDEST_EVERY_S: Final = 1.0
_MESSAGES_READ_A_SECOND: Final = 500  # a long queue is asked for its oldest message less often


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
    _oldest: dict[str, tuple[float, float]] = field(default_factory=dict)
    _ages: dict[str, float] | None = None  # where the backend tells them

    def look(self) -> BoardLook:
        """Look once. Raises RigError or one of AWS_ERRORS when there is nothing to see."""
        target, state = self.source.reachable(), self.source.state()
        now, engine = self.clock(), self.source.localbus()
        self._ages = None if engine is None else engine.oldest_s()
        depths = {
            name: depth(target.sqs, self.source.queue_url(name))
            for pair in queue_names(target.outputs).values()
            for name in pair
            if name is not None
        }
        workers, samples = _workers(state)
        api = scrape(target.api_url)
        orders = _orders(target)
        held = {
            key: depths[name].total + (depths[dlq].total if dlq is not None else 0)
            for key, (name, dlq) in queue_names(target.outputs).items()
        }
        self._rates.measure(held, samples, api, orders, now_s=now)
        return BoardLook(
            at_s=now,
            backend=target.endpoint.name,
            endpoint_url=target.endpoint.endpoint_url,
            api_url=target.api_url,
            api_ready=None if target.api_url is None else api is not None or answers(f"{target.api_url}/healthz"),
            api_ms=self._rates.api_ms,
            queues={
                key: self._queue(target, name, dlq, depths, now)
                for key, (name, dlq) in queue_names(target.outputs).items()
            },
            workers=workers,
            orders=orders,
            mapping=self._mapping(target),
            rates=dict(self._rates.per_s),
        )

    def _queue(self, target: Target, name: str, dlq: str | None, depths: dict[str, Depth], now: float) -> QueueLook:
        counts = depths[name]
        return QueueLook(
            name=name,
            waiting=counts.visible,
            in_flight=counts.in_flight,
            delayed=counts.delayed,
            oldest_s=self._oldest_s(target, name, counts.total, now),
            dlq_name=dlq,
            dlq=None if dlq is None else depths[dlq].total,
        )

    def _oldest_s(self, target: Target, name: str, count: int, now: float) -> float | None:
        if count == 0:
            self._oldest.pop(name, None)
            return None
        if self._ages is not None:
            return self._ages.get(name, 0.0)  # what is counted and has no age has come since the ages were read
        looked_at, sent = self._oldest.get(name, (0.0, None))
        if sent is None or now - looked_at >= max(_OLDEST_EVERY_S, count / _MESSAGES_READ_A_SECOND):
            try:
                times = [each.sent_at_s for each in peek(target.endpoint, self.source.queue_url(name))]
            except CannotPeekError:
                return None
            sent = min((each for each in times if each is not None), default=None)
            if sent is None:
                return None
            self._oldest[name] = (now, sent)
        return max(0.0, now - sent)

    def _mapping(self, target: Target) -> str | None:
        try:
            return self.source.functions().get_event_source_mapping(UUID=target.outputs.notifier_mapping_id)["State"]
        except AWS_ERRORS:
            return None


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

"""Snapshots of the system: queues, workers, order-api, orders table and notifier. Unknown values are None, never 0."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from orderboard_stack.process import answers
from prometheus_client.samples import Sample

from orderboard.console.metrics import Rates, scrape, total
from orderboard.console.source import Source
from orderboard.orders.browse import BrowseUnavailableError, browse
from orderboard.orders.queues import Depth, depth
from orderboard.system.localbus import Localbus
from orderboard.system.state import State
from orderboard.system.target import AWS_ERRORS, Target
from orderboard.system.worker_function import WorkerFunction
from orderboard.system.workers import FUNCTION, condition

_OLDEST_EVERY_S: Final = 1.0
_MESSAGES_READ_A_SECOND: Final = 500  # the oldest message of a long queue is read less often


@dataclass(frozen=True)
class QueueSnapshot:
    """SQS's approximate counts of one queue. oldest_s: age of its oldest message."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_s: float | None
    dlq_name: str | None
    dlq: int | None

    @property
    def held(self) -> int:
        """Every message in the queue, whatever its state."""
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True)
class WorkerSnapshot:
    """One worker process. state: running, frozen (SIGSTOP) or stopped; in_hand: messages in progress.

    function: the name of the Lambda function that it is; None for a process.
    """

    name: str
    pid: int | None
    state: str
    in_hand: int | None
    function: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """The whole system at one moment. rates are per second. workers is None if they were started elsewhere."""

    at_s: float
    backend: str
    endpoint_url: str | None
    api_url: str | None
    api_ready: bool | None
    api_ms: float | None
    queues: dict[str, QueueSnapshot]
    workers: tuple[WorkerSnapshot, ...] | None
    orders: int | None
    mapping: str | None
    rates: dict[str, float | None]

    def document(self) -> dict[str, object]:
        """JSON for the page."""
        return asdict(self)


@dataclass
class SnapshotReader:
    """Takes snapshots, and keeps the earlier readings that rates need."""

    source: Source
    _rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        self._depths = QueueDepths(self.source)

    def read(self) -> Snapshot:
        """Take a snapshot. Raises RigError or one of AWS_ERRORS if the system does not answer."""
        target, state = self.source.reachable(), self.source.state()
        now, pairs = time.time(), target.outputs.queue_pairs
        dlqs = [dlq for _, dlq in pairs.values() if dlq is not None]
        found = self._depths.read([name for name, _ in pairs.values()], dlqs, now)
        queues = {key: _queue(name, dlq, found) for key, (name, dlq) in pairs.items()}
        workers, samples = _workers(state, target)
        api, orders = scrape(target.api_url), _orders(target)
        held = {key: queue.held + (queue.dlq or 0) for key, queue in queues.items()}
        self._rates.measure(held, samples, api, orders, now_s=now)
        return Snapshot(
            at_s=now,
            backend=target.endpoint.name,
            endpoint_url=target.endpoint.endpoint_url,
            api_url=target.api_url,
            api_ready=None if target.api_url is None else api is not None or answers(f"{target.api_url}/healthz"),
            api_ms=self._rates.api_ms,
            queues=queues,
            workers=workers,
            orders=orders,
            mapping=_mapping(target),
            rates=dict(self._rates.per_s),
        )


@dataclass
class QueueDepths:
    """Counts and ages of queues: from localbus in one request, from other backends queue by queue."""

    source: Source
    _oldest: dict[str, tuple[float, float]] = field(default_factory=dict)

    def read(self, names: list[str], dlq_names: list[str], now_s: float) -> dict[str, tuple[Depth, float | None]]:
        """Return the depth and the age of the oldest message (None: unknown, and for dead-letter queues) by queue."""
        target, engine = self.source.target(), self.source.localbus()
        found = None if engine is None else _localbus_depths(engine, target)
        if found is not None and {*names, *dlq_names} <= found.keys():
            return found
        counts = {name: depth(target.sqs, self.source.queue_url(name)) for name in (*names, *dlq_names)}
        return {
            name: (count, self._oldest_s(target, name, count.total, now_s) if name in names else None)
            for name, count in counts.items()
        }

    def _oldest_s(self, target: Target, name: str, count: int, now_s: float) -> float | None:
        if count == 0:
            self._oldest.pop(name, None)
            return None
        read_at, sent = self._oldest.get(name, (0.0, None))
        if sent is None or now_s - read_at >= max(_OLDEST_EVERY_S, count / _MESSAGES_READ_A_SECOND):
            try:
                times = [each.sent_at_s for each in browse(target.endpoint, self.source.queue_url(name))]
            except BrowseUnavailableError:
                return None
            sent = min((each for each in times if each is not None), default=None)
            if sent is None:
                return None
            self._oldest[name] = (now_s, sent)
        return max(0.0, now_s - sent)


def _localbus_depths(engine: Localbus, target: Target) -> dict[str, tuple[Depth, float | None]] | None:
    """Queues of the stack's account and region, aged by localbus's clock; None if this localbus has no such page."""
    document = engine.queues()
    if document is None:
        return None
    region, account = target.outputs.orders_topic_arn.split(":")[3:5]
    return {
        each["name"]: (
            Depth(each["visible"], each["in_flight"], each["delayed"]),
            None if each["oldest_sent_at"] is None else max(0.0, document["now"] - each["oldest_sent_at"]),
        )
        for each in document["queues"]
        if (each["account"], each["region"]) == (account, region)
    }


def _queue(name: str, dlq: str | None, found: Mapping[str, tuple[Depth, float | None]]) -> QueueSnapshot:
    counts, oldest_s = found[name]
    dead = None if dlq is None else found[dlq][0].total
    return QueueSnapshot(name, counts.visible, counts.in_flight, counts.delayed, oldest_s, dlq, dead)


def _workers(state: State | None, target: Target) -> tuple[tuple[WorkerSnapshot, ...] | None, dict[int, list[Sample]]]:
    """The workers, and the metrics of those that run, by pid."""
    if state is None:
        return None, {}
    if state.worker == "lambda":
        return _function(target), {}
    found, samples = [], {}
    for each in state.processes:
        if not each.name.startswith("worker-"):
            continue
        state_now = condition(each)
        metrics = scrape(each.url) if state_now == "running" else None
        if metrics is not None:
            samples[each.pid] = metrics
        in_hand = None if metrics is None else int(total(metrics, "orderboard_worker_held_messages"))
        found.append(WorkerSnapshot(each.name, each.pid, state_now, in_hand))
    return tuple(found), samples


def _function(target: Target) -> tuple[WorkerSnapshot, ...] | None:
    """The worker that is a function: it runs while its mappings do."""
    function = WorkerFunction(target)
    try:
        polls = any(state.startswith("Enabl") for state in function.states().values())
        return (WorkerSnapshot(FUNCTION, None, "running" if polls else "stopped", None, function.name),)
    except AWS_ERRORS:
        return None


def _orders(target: Target) -> int | None:
    """Rows in the orders table. Unknown on AWS, which updates the count only every six hours.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    if not target.endpoint.local:
        return None
    try:
        return target.dynamodb.describe_table(TableName=target.outputs.orders_table)["Table"].get("ItemCount")
    except AWS_ERRORS:
        return None


def _mapping(target: Target) -> str | None:
    try:
        return target.functions.get_event_source_mapping(UUID=target.outputs.notifier_mapping_id)["State"]
    except AWS_ERRORS:
        return None

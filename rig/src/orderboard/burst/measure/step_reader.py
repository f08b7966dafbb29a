"""Follows a sample of the orders through the services' logs and localbus's journal, while the burst runs.

The journal keeps the latest 50,000 entries, a few seconds of a large burst, so it is read as it grows. An order is in
the sample by its id, so that every reader picks the same ones without asking: all orders of a small burst, every
second, fourth, and so on of a larger one. Only the entries of their messages are asked for, and only those since each
message was last looked for.
"""

import queue
import threading
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeVar

from orderboard.burst.measure.log_tail import LogTail
from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measure.steps import Source, Trace, steps_of
from orderboard.burst.model import Steps
from orderboard.errors import RigError
from orderboard.ledger.ledger import Outcome
from orderboard.system.localbus import JournalEntry, find
from orderboard.system.system import System
from orderboard.system.target import AWS_ERRORS, Target

_MAX_SAMPLE: Final = 2_000
_IDS_A_REQUEST: Final = 200
_ROWS_A_REQUEST: Final = 100
_EARLIER_S: Final = 0.5  # a log line, or an outcome, comes so much later than its entry, unless
_MUCH_EARLIER_S: Final = 5.0  # the machine is busy
_GIVE_UP_AFTER_S: Final = 20.0
_FINISHED: Final = frozenset(("order.completed", "order.rejected", "order.cancelled"))
_T = TypeVar("_T")
_EVENTS: Final = "published,delivered,received"


class _Wanted(NamedTuple):
    """A message to look for: of an order, by this kind of id, in the entries since a time of ours."""

    order_id: str
    kind: Literal["topic", "queue", "bus"]
    since: float
    first: float
    looked_again: bool = False


class StepReader:
    """The sample. read() is called every second; other threads may call the other methods meanwhile."""

    def __init__(self, system: System, planned: int | None) -> None:
        self._target = system.target
        self._engine = find(system.target.endpoint)
        self._source: Source = "rows" if self._engine is None else "journal"
        self._logs = LogTail(system.options.services.logs_dir)
        self._every = 1
        while (planned or 0) > self._every * _MAX_SAMPLE:
            self._every *= 2
        self._traces: dict[str, Trace] = {}
        self._wanted: dict[str, _Wanted] = {}  # by message id
        self._numbers: list[tuple[float, int]] = []  # our time -> the number of the newest entry then
        self._outcomes: queue.SimpleQueue[tuple[Outcome, float]] = queue.SimpleQueue()
        self._alerts_ms: list[float] = []
        self._one_at_a_time = threading.Lock()

    def outcome(self, outcome: Outcome, at: float) -> None:
        """Note an outcome event that came at time.monotonic()."""
        if self._in_sample(outcome.order_id):
            self._outcomes.put((outcome, _since_1970(at)))

    def alerted(self, occurred_at: datetime, at: float) -> None:
        """Note an alert that was in the inbox at time.monotonic(), for an event of this time."""
        self._alerts_ms.append(max(0.0, _since_1970(at) - occurred_at.timestamp()) * 1000)

    def read(self) -> None:
        """Read what is new."""
        with self._one_at_a_time:
            self._read()

    def steps(self, orders: Iterable[OrderRecord], started_at: float) -> Steps | None:
        """Read the rest, and return the steps."""
        self.read()
        self.read()  # of messages that became known by the last read
        if self._engine is None:
            with suppress(*AWS_ERRORS):
                for order_id, recorded_at in _recorded(self._target, list(self._traces)):
                    self._traces[order_id].recorded_at = recorded_at
        return steps_of(orders, self._traces, self._alerts_ms, source=self._source, started_at=started_at)

    def close(self) -> None:
        """Close the connection."""
        if self._engine is not None:
            self._engine.close()

    def _read(self) -> None:
        for line in self._logs.lines(self._in_sample):
            self._logged(line)
        while not self._outcomes.empty():
            outcome, at = self._outcomes.get()
            trace = self._traces.setdefault(outcome.order_id, Trace())
            if trace.event_at is None and self._engine is not None:
                self._want(outcome.bus_event_id, outcome.order_id, "bus", at)
        if len(self._traces) > _MAX_SAMPLE:
            self._halve()
        with suppress(RigError):  # it is gone, or busy: the same entries are asked for again
            self._read_journal()

    def _in_sample(self, order_id: str) -> bool:
        return int(order_id[:8], 16) % self._every == 0

    def _halve(self) -> None:
        self._every *= 2
        self._traces = {order_id: each for order_id, each in self._traces.items() if self._in_sample(order_id)}
        self._wanted = {key: each for key, each in self._wanted.items() if self._in_sample(each.order_id)}

    def _logged(self, line: dict[str, Any]) -> None:
        order_id, event, message_id = str(line["order_id"]), line.get("message"), str(line.get("message_id", ""))
        if event == "order.accepted":
            trace = self._traces.setdefault(order_id, Trace())
            at = datetime.fromisoformat(line["timestamp"]).timestamp()
            trace.accepted_at = trace.accepted_at or at
            self._want(message_id, order_id, "topic", at)
        elif event in _FINISHED:
            trace = self._traces.setdefault(order_id, Trace())
            trace.handled = trace.handled or (message_id, int(line.get("receive_count", 1)))

    def _want(self, message_id: str, order_id: str, kind: Literal["topic", "queue", "bus"], at: float) -> None:
        if self._engine is not None:
            self._wanted.setdefault(message_id, _Wanted(order_id, kind, at - _EARLIER_S, time.time()))

    def _read_journal(self) -> None:
        if self._engine is None or not self._wanted:
            return
        newest = self._engine.entries(last=1)
        now = time.time()  # afterwards: whatever happens from now on has a greater number
        number = newest[0].number if newest else 0
        if self._numbers and number < self._numbers[-1][1]:  # the engine was started again, and counts from 1
            self._numbers.clear()
        self._numbers.append((now, number))
        wanted = sorted(self._wanted.items(), key=lambda each: each[1].since)
        for some in _batches(wanted, _IDS_A_REQUEST):
            after = self._number_at(some[0][1].since)
            ids = ",".join(message_id for message_id, _ in some)
            for entry in self._engine.entries(message_id=ids, event=_EVENTS, after=after):
                self._found(entry, self._wanted[entry.message_id])
        for message_id, each in wanted:
            if (later := self._next(message_id, each, now)) is None:
                del self._wanted[message_id]
            else:
                self._wanted[message_id] = later

    def _number_at(self, at: float) -> int:
        """Return the number of an entry that is not newer than this time of ours."""
        place = bisect_right(self._numbers, at, key=lambda each: each[0])
        return self._numbers[place - 1][1] if place else 0

    def _found(self, entry: JournalEntry, wanted: _Wanted) -> None:
        at = entry.at if entry.real_at is None else entry.real_at
        trace, message_id = self._traces[wanted.order_id], entry.message_id
        match wanted.kind, entry.event:
            case "topic", "published":
                trace.published.setdefault(message_id, at)
            case "topic", "delivered":
                became = str(entry.detail["message_id"])
                trace.arrived.setdefault(became, at)
                self._wanted.setdefault(became, _Wanted(wanted.order_id, "queue", wanted.since, wanted.first))
            case "bus", "published":
                trace.event_at = min(at, trace.event_at or at)
            case "queue", "received":
                trace.received.setdefault((message_id, int(entry.detail)), at)

    def _next(self, message_id: str, wanted: _Wanted, now: float) -> _Wanted | None:
        """Return how to look for a message from now on; None if nothing more is to be found of it."""
        trace = self._traces[wanted.order_id]
        if wanted.kind == "queue":
            return None if trace.handled in trace.received else wanted._replace(since=now)
        if wanted.kind == "topic" and message_id in trace.published:
            over = bool(trace.arrived) or now > wanted.first + _GIVE_UP_AFTER_S
            return None if over else wanted._replace(since=now)
        if wanted.looked_again or (wanted.kind == "bus" and trace.event_at is not None):
            return None
        return wanted._replace(since=wanted.since - _MUCH_EARLIER_S, looked_again=True)


def _since_1970(at: float) -> float:
    return time.time() - (time.monotonic() - at)


def _batches(values: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for begin in range(0, len(values), size):
        yield values[begin : begin + size]


def _recorded(target: Target, order_ids: list[str]) -> Iterator[tuple[str, float]]:
    """Yield the time at which each of these orders was recorded."""
    table = target.outputs.orders_table
    for some in _batches(order_ids, _ROWS_A_REQUEST):
        keys: Any = [{"order_id": {"S": order_id}} for order_id in some]
        wanted: Any = {table: {"Keys": keys, "ProjectionExpression": "order_id, recorded_at"}}
        for row in target.dynamodb.batch_get_item(RequestItems=wanted)["Responses"].get(table, []):
            yield str(row["order_id"]["S"]), datetime.fromisoformat(str(row["recorded_at"]["S"])).timestamp()

"""Reconciliation: every order that order-api accepted, and where it is now.

Accepted orders come from order-api's log, their ends from the orders table and the dead-letter queues. An order is
looked up until it has ended, in batches, so that a long run costs about two reads an order.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from orderboard.console.balance import Reconciliation
from orderboard.console.snapshot import Snapshot
from orderboard.console.source import Source
from orderboard.ledger.evidence import final_rows_of
from orderboard.orders.browse import BrowseUnavailableError, browse
from orderboard.orders.dead_letters import DeadLetter, dead_letter
from orderboard.system.state import KnownProcess, State
from orderboard.system.target import Target

_READ_DEAD_EVERY_S: Final = 2.0
_READ_A_SECOND: Final = 500  # a long dead-letter queue is read less often
_ACCEPTED: Final = b'"order.accepted"'
_READ_AT_ONCE_BYTES: Final = 8 << 20
_KIND: Final = ("event", "source", "target", "code")
# Of the losses: those of deliveries by SNS and EventBridge. Others are of queues and functions, as a dead letter is.
_STOPPED: Final = frozenset(("undelivered", "dropped", "dead_lettered", "withheld"))


@dataclass
class AcceptedOrders:
    """Ids of accepted orders, read from order-api's log as it grows. A partial last line is read the next time.

    A log that has become shorter is a new one. since: orders accepted before it are left out.
    """

    path: Path
    since: datetime | None = None
    _read_bytes: int = field(default=0, init=False)

    def new(self) -> list[str]:
        """Return the ids logged since the last call; one for each 202, so a repeated order is listed twice."""
        try:
            with self.path.open("rb") as log:
                if log.seek(0, os.SEEK_END) < self._read_bytes:
                    self._read_bytes = 0
                log.seek(self._read_bytes)
                text = log.read(_READ_AT_ONCE_BYTES)
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._read_bytes += len(complete)
        lines = (line for line in complete.splitlines() if _ACCEPTED in line)
        return [order_id for line in lines if (order_id := _order_id(line, self.since))]


def _order_id(line: bytes, since: datetime | None) -> str | None:
    try:
        entry = json.loads(line)
        if since is not None and datetime.fromisoformat(entry["timestamp"]) < since:
            return None
        order_id = entry["order_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return order_id if isinstance(order_id, str) else None


@dataclass
class Losses:
    """Deliveries that localbus could not make, counted since the last reset. Its counts start at 0 when it restarts."""

    _seen: dict[tuple[str, ...], int] = field(default_factory=dict)
    _before: dict[tuple[str, ...], int] = field(default_factory=dict)

    def new(self, losses: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return those since the reset, by kind."""
        stopped = {tuple(each[name] for name in _KIND): each for each in losses if each["event"] in _STOPPED}
        self._seen = {kind: each["count"] for kind, each in stopped.items()}
        self._before = {kind: count for kind, count in self._before.items() if count <= self._seen.get(kind, 0)}
        found = ({**each, "count": each["count"] - self._before.get(kind, 0)} for kind, each in stopped.items())
        return [each for each in found if each["count"] > 0]

    def reset(self) -> None:
        """Count from the last reading on."""
        self._before = self._seen


@dataclass
class Reconciler:
    """Reconciles the current system, at each snapshot, since it started or since the last reset.

    The system is the same while its backend is, also when order-api is started again.
    """

    source: Source
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _system: object = field(default=None, init=False)
    _accepted: AcceptedOrders | None = field(default=None, init=False)
    _orders: Reconciliation | None = field(default=None, init=False)
    _since_s: float | None = field(default=None, init=False)
    _opened_at: datetime | None = field(default=None, init=False)
    _losses: Losses = field(default_factory=Losses, init=False)
    _dead: tuple[float, tuple[DeadLetter, ...]] = field(default=(float("-inf"), ()), init=False)

    def read(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return the balance, or why it is unknown, and the deliveries that were stopped."""
        with self._lock:
            engine = self.source.localbus()
            stopped = [] if engine is None else self._losses.new(engine.losses())
            return {**self._balance(snapshot), "since_s": self._since_s, "stopped": stopped}

    def purge(self, queue_name: str, delete: Callable[[], object]) -> int | None:
        """Delete the messages of a dead-letter queue; return how many there were, None if unknown.

        The orders among them count as purged from then on. In between no balance is read, in which they are missing.
        """
        with self._lock:
            letters: list[DeadLetter] | None = None
            with suppress(BrowseUnavailableError):
                letters = self._browse(self.source.target(), queue_name)
            delete()
            self._dead = (float("-inf"), ())
            if letters is None:
                return None
            if self._orders is not None:
                self._orders.purged({each.order_id for each in letters if each.is_order and each.order_id})
            return len(letters)

    def reset(self) -> None:
        """Count from now on: forget every order that was accepted, and every delivery that was stopped."""
        with self._lock:
            self._since_s = time.time()
            if self._accepted is not None:
                while self._accepted.new():
                    pass
            if self._orders is not None:
                self._orders = Reconciliation(self._orders.look_up)
            self._losses.reset()

    def count_from(self, opened_at: datetime | None) -> None:
        """Count from the opening of an exercise on, which has emptied the queues. A known time changes nothing."""
        with self._lock:
            if opened_at is not None and opened_at != self._opened_at:
                self._opened_at, self._system = opened_at, None
                self._losses.reset()

    def _balance(self, snapshot: Snapshot) -> dict[str, Any]:
        target, logs_dir = self.source.target(), self.source.logs_dir
        if not target.endpoint.local:
            return {"why_unknown": "AWS bills every read, so the console does not read the orders table."}
        if logs_dir is None:
            return {"why_unknown": "Accepted orders are read from order-api's log, which is not on this machine."}
        system = target.endpoint, target.outputs.orders_table, _backend(self.source.state())
        if self._system != system or self._accepted is None or self._orders is None:
            self._system, self._accepted = system, AcceptedOrders(logs_dir / "order-api.log", self._opened_at)
            self._orders = Reconciliation(lambda ids: final_rows_of(self.source.target(), ids))
            self._since_s = None if self._opened_at is None else self._opened_at.timestamp()
        try:
            dead = self._dead_letters(target, snapshot)
        except BrowseUnavailableError as exc:
            return {"why_unknown": str(exc)}
        balance = self._orders.balance(self._accepted.new(), dead, busy=_busy(snapshot), now_s=time.monotonic())
        return {"why_unknown": None, **balance.document()}

    def _dead_letters(self, target: Target, snapshot: Snapshot) -> tuple[DeadLetter, ...]:
        queues = (snapshot.queues[key] for key in ("work", "express", "undelivered"))
        counts = {each.dlq_name or each.name: (each.dlq if each.dlq_name else each.waiting) or 0 for each in queues}
        read_at, found = self._dead
        total = sum(counts.values())
        if total and time.monotonic() - read_at < max(_READ_DEAD_EVERY_S, total / _READ_A_SECOND):
            return found
        found = tuple(each for name, count in counts.items() if count for each in self._browse(target, name))
        self._dead = (time.monotonic(), found)
        return found

    def _browse(self, target: Target, name: str) -> list[DeadLetter]:
        messages = browse(target.endpoint, self.source.queue_url(name))
        return [dead_letter(name, each.to_message()) for each in messages]


def _backend(state: State | None) -> list[KnownProcess]:
    return [] if state is None else [each for each in state.processes if each.name == "backend"]


def _busy(snapshot: Snapshot) -> bool:
    queued = sum(snapshot.queues[key].held for key in ("work", "express"))
    return queued > 0 or any(each.in_hand for each in snapshot.workers or ())

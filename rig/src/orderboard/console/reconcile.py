"""Reconciliation: every order that order-api accepted, and where it is now.

Accepted orders come from order-api's log, their ends from the orders table and the dead-letter queues. An order is
looked up until it has ended, in batches, so that a long run costs about two reads an order.
"""

import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from orderboard.console.snapshot import Snapshot
from orderboard.console.source import Source
from orderboard.ledger.discrepancy import Lost
from orderboard.ledger.evidence import final_rows_of
from orderboard.ledger.ledger import Evidence, Placed, balance
from orderboard.orders.browse import BrowseUnavailableError, browse
from orderboard.orders.dead_letters import DeadLetter, dead_letter
from orderboard.orders.kinds import ENDINGS, Ending
from orderboard.system.target import Target

BATCH: Final = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_BATCHES: Final = 5
_SETTLED_AFTER_S: Final = 5.0
_ANY_ENDING: Final = frozenset(ENDINGS)
_READ_DEAD_EVERY_S: Final = 2.0
_READ_A_SECOND: Final = 500  # a long dead-letter queue is read less often
_ACCEPTED: Final = b'"order.accepted"'
_READ_AT_ONCE_BYTES: Final = 8 << 20


@dataclass
class AcceptedOrders:
    """Ids of accepted orders, read from order-api's log as it grows. A partial last line is read the next time."""

    path: Path
    _read_bytes: int = field(default=0, init=False)

    def new(self) -> list[str]:
        """Return the ids logged since the last call; one for each 202, so a repeated order is listed twice."""
        try:
            with self.path.open("rb") as log:
                log.seek(self._read_bytes)
                text = log.read(_READ_AT_ONCE_BYTES)
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._read_bytes += len(complete)
        return [order_id for line in complete.splitlines() if _ACCEPTED in line and (order_id := _order_id(line))]


def _order_id(line: bytes) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    order_id = entry.get("order_id") if isinstance(entry, dict) else None
    return order_id if isinstance(order_id, str) else None


@dataclass(frozen=True)
class Balance:
    """placed = completed + rejected + cancelled + dead_lettered + on_its_way + missing. Each order counts once.

    dead_lettered_duplicates: ended orders with a duplicate in a dead-letter queue.
    """

    placed: int
    completed: int
    rejected: int
    cancelled: int
    dead_lettered: int
    on_its_way: int
    missing: int
    dead_lettered_duplicates: int = 0

    def document(self) -> dict[str, int | bool]:
        """JSON for the page."""
        return {**asdict(self), "balanced": self.on_its_way == 0 and self.missing == 0}


@dataclass
class Reconciliation:
    """Accepted orders, open or ended. look_up returns how those of up to 100 orders ended that are final.

    An order is missing if the ledger calls it lost, and nothing has moved for some seconds.
    """

    look_up: Callable[[Collection[str]], Mapping[str, Ending]]
    _open: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    _ended: dict[str, Ending] = field(default_factory=dict)
    _idle_since_s: float | None = None
    _looked_up_since_idle: int = 0

    def balance(
        self, accepted: Collection[str], dead_letters: Collection[DeadLetter], *, busy: bool, now_s: float
    ) -> Balance:
        """Add the newly accepted orders, look up some of the open ones, and count."""
        for order_id in accepted:
            if order_id not in self._ended:
                self._open[order_id] = None
        self._look_up_open()
        dead = {each.order_id for each in dead_letters if each.is_order}
        rest = [order_id for order_id in self._open if order_id not in dead]
        missing = _lost(rest, dead_letters) if self._is_settled(busy=busy or not rest, now_s=now_s) else 0
        ends = Counter(self._ended.values())
        return Balance(
            placed=len(self._open) + len(self._ended),
            completed=ends["completed"],
            rejected=ends["rejected"],
            cancelled=ends["cancelled"],
            dead_lettered=len(self._open) - len(rest),
            on_its_way=len(rest) - missing,
            missing=missing,
            dead_lettered_duplicates=sum(order_id in self._ended for order_id in dead),
        )

    def _look_up_open(self) -> None:
        for _ in range(_BATCHES):
            oldest = list(islice(self._open, BATCH))
            if not oldest:
                return
            found = self.look_up(oldest)
            self._looked_up_since_idle += len(oldest)
            for order_id in oldest:
                if order_id in found:
                    del self._open[order_id]
                    self._ended[order_id] = found[order_id]
                else:
                    self._open.move_to_end(order_id)  # after the others
            if len(oldest) < BATCH or not found:
                return

    def _is_settled(self, *, busy: bool, now_s: float) -> bool:
        """Return true if nothing has moved for a while in which each open order was looked up."""
        if busy:
            self._idle_since_s, self._looked_up_since_idle = None, 0
            return False
        if self._idle_since_s is None:
            self._idle_since_s = now_s
        return now_s - self._idle_since_s >= _SETTLED_AFTER_S and self._looked_up_since_idle >= len(self._open)


def _lost(order_ids: Collection[str], dead_letters: Collection[DeadLetter]) -> int:
    placed = [Placed("accepted", _ANY_ENDING, (order_id,)) for order_id in order_ids]
    evidence = Evidence(dead_letters=tuple(dead_letters), rows_only=True)
    return sum(isinstance(each, Lost) for each in balance(placed, evidence, large_order_cents=1).discrepancies)


@dataclass
class Reconciler:
    """Reconciles the current system, at each snapshot."""

    source: Source
    _target: Target | None = field(default=None, init=False)
    _accepted: AcceptedOrders | None = field(default=None, init=False)
    _orders: Reconciliation | None = field(default=None, init=False)
    _dead: tuple[float, tuple[DeadLetter, ...]] = field(default=(float("-inf"), ()), init=False)

    def read(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return the balance, or why it is unknown."""
        target, logs_dir = self.source.target(), self.source.logs_dir
        if not target.endpoint.local:
            return {"why_unknown": "AWS bills every read, so the console does not read the orders table."}
        if logs_dir is None:
            return {"why_unknown": "Accepted orders are read from order-api's log, which is not on this machine."}
        if self._target is not target or self._accepted is None or self._orders is None:
            self._target, self._accepted = target, AcceptedOrders(logs_dir / "order-api.log")
            self._orders = Reconciliation(partial(final_rows_of, target))
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
        found = tuple(
            dead_letter(name, each.to_message())
            for name, count in counts.items()
            if count
            for each in browse(target.endpoint, self.source.queue_url(name))
        )
        self._dead = (time.monotonic(), found)
        return found


def _busy(snapshot: Snapshot) -> bool:
    queued = sum(snapshot.queues[key].held for key in ("work", "express"))
    return queued > 0 or any(each.in_hand for each in snapshot.workers or ())

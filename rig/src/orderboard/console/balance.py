"""The balance of orders: every accepted order counts once, by how it ended or where it is. Pure but for the look-up."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Final

from orderboard.ledger.discrepancy import Lost
from orderboard.ledger.ledger import Evidence, Placed, balance
from orderboard.orders.dead_letters import DeadLetter
from orderboard.orders.kinds import ENDINGS, Ending

BATCH: Final = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_BATCHES: Final = 5
_SETTLED_AFTER_S: Final = 5.0
_ANY_ENDING: Final = frozenset(ENDINGS)


@dataclass(frozen=True)
class Balance:
    """placed = completed + rejected + cancelled + dead_lettered + purged + on_its_way + missing. Each counts once.

    purged: dead letters that the user deleted here. dead_lettered_duplicates: ended orders with a duplicate in a
    dead-letter queue.
    """

    placed: int
    completed: int
    rejected: int
    cancelled: int
    dead_lettered: int
    on_its_way: int
    missing: int
    purged: int = 0
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
    _purged: set[str] = field(default_factory=set)
    _idle_since_s: float | None = None
    _looked_up_since_idle: int = 0

    def balance(
        self, accepted: Collection[str], dead_letters: Collection[DeadLetter], *, busy: bool, now_s: float
    ) -> Balance:
        """Add the newly accepted orders, look up some of the open ones, and count."""
        for order_id in accepted:
            self._purged.discard(order_id)  # sent again
            if order_id not in self._ended:
                self._open[order_id] = None
        self._look_up_open()
        dead = {each.order_id for each in dead_letters if each.is_order}
        purged = {order_id for order_id in self._purged if order_id in self._open and order_id not in dead}
        rest = [order_id for order_id in self._open if order_id not in dead and order_id not in purged]
        missing = _lost(rest, dead_letters) if self._is_settled(busy=busy or not rest, now_s=now_s) else 0
        ends = Counter(self._ended.values())
        return Balance(
            placed=len(self._open) + len(self._ended),
            completed=ends["completed"],
            rejected=ends["rejected"],
            cancelled=ends["cancelled"],
            dead_lettered=len(self._open) - len(rest) - len(purged),
            on_its_way=len(rest) - missing,
            missing=missing,
            purged=len(purged),
            dead_lettered_duplicates=sum(order_id in self._ended for order_id in dead),
        )

    def purged(self, order_ids: Collection[str]) -> None:
        """Record that the user deleted these orders' dead letters."""
        self._purged.update(order_ids)

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

"""The proof that nothing was lost, kept up to date: every order that was answered 202, and where it is now.

Orders come from order-api's log, ends from the table and the dead-letter queues. Each order is asked for until it has
ended, some at a time, so that a long run costs the table no more than a read or two for each order. Pure but for what
it is given to ask with.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

ASKED_AT_ONCE: Final = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_ASKS: Final = 5
_SETTLED_AFTER_S: Final = 5.0
_ENDINGS: Final = ("completed", "rejected", "cancelled")


@dataclass(frozen=True)
class Verdict:
    """placed = completed + rejected + cancelled + resting + on_its_way + missing. Each order counts once."""

    placed: int
    completed: int
    rejected: int
    cancelled: int
    resting: int
    on_its_way: int
    missing: int

    def document(self) -> dict[str, int | bool]:
        """For the page."""
        return {**asdict(self), "balanced": self.on_its_way == 0 and self.missing == 0}


@dataclass
class Proof:
    """Remembers which orders were accepted, and which of them have ended.

    ask: the statuses of so many orders, those that have one. An order is missing when it has not ended, rests nowhere,
    and nothing has been under way for some seconds.
    """

    ask: Callable[[Collection[str]], Mapping[str, str]]
    _open: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    _ended: dict[str, str] = field(default_factory=dict)
    _quiet_since_s: float | None = None
    _asked_since_quiet: int = 0

    def verdict(self, accepted: Collection[str], resting: Collection[str], *, under_way: bool, now_s: float) -> Verdict:
        """Take in what was accepted since the last time, ask for some of the open ones, and say how it stands."""
        for order_id in accepted:
            if order_id not in self._ended:
                self._open[order_id] = None
        self._ask()
        rest = [order_id for order_id in self._open if order_id not in resting]
        missing = len(rest) if self._is_settled(under_way=under_way or not rest, now_s=now_s) else 0
        ends = Counter(self._ended.values())
        return Verdict(
            placed=len(self._open) + len(self._ended),
            completed=ends["completed"],
            rejected=ends["rejected"],
            cancelled=ends["cancelled"],
            resting=len(self._open) - len(rest),
            on_its_way=len(rest) - missing,
            missing=missing,
        )

    def _ask(self) -> None:
        for _ in range(_ASKS):
            oldest = [order_id for order_id, _ in zip(self._open, range(ASKED_AT_ONCE), strict=False)]
            if not oldest:
                return
            found = {each: status for each, status in self.ask(oldest).items() if status in _ENDINGS}
            self._asked_since_quiet += len(oldest)
            for order_id in oldest:
                if order_id in found:
                    del self._open[order_id]
                    self._ended[order_id] = found[order_id]
                else:
                    self._open.move_to_end(order_id)  # it is asked for again when the others have been
            if len(oldest) < ASKED_AT_ONCE or not found:
                return

    def _is_settled(self, *, under_way: bool, now_s: float) -> bool:
        """Whether nothing has moved for a while, in which each open order was asked for."""
        if under_way:
            self._quiet_since_s, self._asked_since_quiet = None, 0
            return False
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        return now_s - self._quiet_since_s >= _SETTLED_AFTER_S and self._asked_since_quiet >= len(self._open)

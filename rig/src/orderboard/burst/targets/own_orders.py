"""The burst's own orders in a system that others use: the evidence about them alone, and what others did."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from orderboard_contracts.identity import order_id_for

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.model import OthersOrders
from orderboard.ledger.evidence import final_rows_of
from orderboard.ledger.ledger import Evidence
from orderboard.orders.kinds import Ending
from orderboard.system.target import Target

_AT_ONCE: Final = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_EXAMPLES: Final = 3


class OwnRows:
    """The final rows of the burst's orders. A final row stays as it is, so it is read once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._rows: dict[str, Ending] = {}

    def read(self, order_ids: Collection[str]) -> dict[str, Ending]:
        """Return the final rows of these orders."""
        missing = [order_id for order_id in order_ids if order_id not in self._rows]
        for start in range(0, len(missing), _AT_ONCE):
            self._rows |= final_rows_of(self._target, missing[start : start + _AT_ONCE])
        return dict(self._rows)


def own_ids(attempts: Sequence[Attempt]) -> set[str]:
    """Return the ids of these orders, with those that they have if they landed without an answer."""
    ids = {order_id for each in attempts for order_id in each.order_ids}
    return ids | {order_id_for(each.idempotency_key) for each in attempts}


def own_evidence(evidence: Evidence, own: Collection[str]) -> tuple[Evidence, OthersOrders]:
    """Return what is about these orders, and a count of everything else."""
    outcomes = [each for each in evidence.outcomes if each.order_id not in own]
    letters = [each for each in evidence.dead_letters if each.order_id not in own]
    ids = dict.fromkeys([*(each.order_id for each in outcomes), *(each.order_id or "" for each in letters)])
    ids.pop("", None)  # of a message without an event
    others = OthersOrders(
        finished=len({each.order_id for each in outcomes}), dead_letters=len(letters), examples=tuple(ids)[:_EXAMPLES]
    )
    return replace(
        evidence,
        final_rows={order_id: ended for order_id, ended in evidence.final_rows.items() if order_id in own},
        outcomes=tuple(each for each in evidence.outcomes if each.order_id in own),
        dead_letters=tuple(each for each in evidence.dead_letters if each.order_id in own),
        announcements=tuple(each for each in evidence.announcements if each.order_id in own),
    ), others

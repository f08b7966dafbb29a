"""The morning rush: its orders, its seed, and the order kinds that it shares with bursts and the console."""

from collections import Counter

import pytest
from orderboard.burst.load.mix import PlannedOrder
from orderboard.demo.scenario import COUNTS, MorningRush
from orderboard.orders.kinds import KINDS
from orderboard_contracts.order import OrderRequest
from pydantic import ValidationError


def rush(seed: int = 1, run: str = "test") -> list[PlannedOrder]:
    """All orders of one rush."""
    return list(MorningRush().orders(seed=seed, run=run, count=sum(COUNTS.values())))


def _valid(order: PlannedOrder) -> bool:
    try:
        OrderRequest.model_validate(order.body)
    except ValidationError:
        return False
    return True


def test_it_has_two_hundred_orders_of_every_kind() -> None:
    """As many of each kind as its counts, two hundred in all, and every key differs."""
    orders = rush()

    assert Counter(order.kind for order in orders) == {KINDS[name].label: count for name, count in COUNTS.items()}
    assert len({order.idempotency_key for order in orders}) == len(orders) == 200


def test_the_same_seed_gives_the_same_orders() -> None:
    """A seed determines everything but the keys, which belong to the run."""
    first, again, other, later = rush(7, "x"), rush(7, "x"), rush(8, "x"), rush(7, "y")

    assert first == again
    assert [order.body for order in first] != [order.body for order in other]
    assert [order.body for order in first] == [order.body for order in later]
    assert not {order.idempotency_key for order in first} & {order.idempotency_key for order in later}


@pytest.mark.parametrize("seed", range(5))
def test_only_orders_that_the_api_must_refuse_are_invalid(seed: int) -> None:
    """An order is valid by the contract exactly when its kind may end somewhere."""
    for order in rush(seed):
        assert _valid(order) == bool(order.may_end), order.kind

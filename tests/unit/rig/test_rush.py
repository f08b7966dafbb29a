"""The morning rush: what it is made of, and that its seed decides it."""

from collections import Counter

from orderboard.demo.scenario import COUNTS, MAY_END, morning_rush
from orderboard_contracts.order import OrderRequest
from pydantic import ValidationError


def _valid(body: dict[str, object]) -> bool:
    try:
        OrderRequest.model_validate(body)
    except ValidationError:
        return False
    return True


def test_it_has_two_hundred_orders_of_every_kind() -> None:
    """The rush has as many of each kind as it says, two hundred in all."""
    rush = morning_rush(seed=1, run="test")

    assert Counter(intent.kind for intent in rush) == COUNTS
    assert len(rush) == 200


def test_the_same_seed_gives_the_same_orders() -> None:
    """A seed decides everything but the keys, which belong to the run."""
    first, again, other = morning_rush(7, "x"), morning_rush(7, "x"), morning_rush(8, "x")
    later = morning_rush(7, "y")

    assert first == again
    assert [intent.body for intent in first] != [intent.body for intent in other]
    assert [intent.body for intent in first] == [intent.body for intent in later]
    assert not {intent.idempotency_key for intent in first} & {intent.idempotency_key for intent in later}


def test_every_order_has_a_key_of_its_own() -> None:
    """No two orders of a rush share an Idempotency-Key."""
    keys = [intent.idempotency_key for intent in morning_rush(1, "test")]

    assert len(set(keys)) == len(keys)


def test_only_what_the_api_must_refuse_breaks_the_contract() -> None:
    """An order is valid by the contract exactly when its kind may end somewhere."""
    for seed in range(5):
        for intent in morning_rush(seed, "test"):
            assert _valid(intent.body) == bool(MAY_END[intent.kind]), intent.kind

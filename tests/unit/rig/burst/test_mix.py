"""The orders of a burst: the same for the same seed, in the requested shares, and valid by the contracts."""

from collections import Counter

import pytest
from orderboard.burst.load.mix import MIX_KINDS, Mix, OwnOrders, parse_mix
from orderboard.orders.kinds import KINDS, KindName
from orderboard_contracts.order import OrderRequest, priced, total_cents
from pydantic import ValidationError

ALL = "express=10,large=5,sold_out=2,invalid=1,duplicate=2,cancel=3,flaky=1,slow=1,poison=0.5"
LARGE_ORDER_CENTS = 10_000  # the template's default


def test_the_same_seed_gives_the_same_orders() -> None:
    """Also under another run's name, which only changes their keys; another seed gives others."""
    mix = parse_mix(ALL)

    bodies = [
        [order.body for order in mix.orders(seed=seed, run=run, count=200)]
        for seed, run in ((1, "a"), (1, "b"), (2, "a"))
    ]

    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]


def test_the_shares_are_those_of_the_mix() -> None:
    """Within four deviations of a binomial count."""
    count = 20_000
    mix = parse_mix(ALL)

    counts = Counter(order.kind for order in mix.orders(seed=5, run="a", count=count))

    for name, percent in mix.percent:
        share = percent / 100
        assert counts[name] == pytest.approx(count * share, abs=4 * (count * share * (1 - share)) ** 0.5), name
    assert counts.total() == count


@pytest.mark.parametrize("name", ["normal", *MIX_KINDS])
def test_every_kind_is_as_described(name: KindName) -> None:
    """The API takes all but `invalid`, and only `large` is large enough to be announced."""
    mix = Mix() if name == "normal" else Mix(((name, 100.0),))

    for planned in mix.orders(seed=3, run="a", count=50):
        assert planned.kind == name
        assert ("dead-lettered" in planned.may_end) == (name != "invalid")
        if name == "invalid":
            with pytest.raises(ValidationError, match="not on the menu"):
                OrderRequest.model_validate(planned.body)
            continue
        order = OrderRequest.model_validate(planned.body)
        assert (total_cents(priced(order)) >= LARGE_ORDER_CENTS) == (name == "large")
        assert (order.priority == "express") == (name == "express")
        assert order.fault == KINDS[name].fault
        assert planned.sends == (2 if name == "duplicate" else 1)
        assert planned.cancellation == ("at once" if name == "cancel" else "never")


def test_keys_are_unique() -> None:
    """Within a run, and between runs."""
    keys = [order.idempotency_key for run in ("a", "b") for order in Mix().orders(seed=1, run=run, count=500)]

    assert len(set(keys)) == 1000


def test_own_orders_repeat_when_they_run_out() -> None:
    """In their order, each time with another key."""
    own = OwnOrders(((1, {"customer_id": "ada"}), (2, {"customer_id": "alan"})))

    orders = list(own.orders(seed=1, run="a", count=5))

    assert [order.body["customer_id"] for order in orders] == ["ada", "alan", "ada", "alan", "ada"]
    assert len({order.idempotency_key for order in orders}) == 5


def test_an_empty_mix_is_all_normal() -> None:
    """Nothing but normal orders."""
    assert parse_mix("") == Mix()
    assert {order.kind for order in Mix().orders(seed=1, run="a", count=20)} == {"normal"}

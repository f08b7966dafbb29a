"""The orders of a burst: the same for the same seed, in the shares that were asked for, and as the contracts want."""

from collections import Counter

import pytest
from orderboard.burst.mix import KINDS, Mix, OwnOrders, parse_mix
from orderboard_contracts.order import OrderRequest, priced, total_cents
from pydantic import ValidationError

ALL = "express=10,large=5,sold_out=2,invalid=1,duplicate=2,cancel=3,flaky=1,slow=1,poison=0.5"
LARGE_ORDER_CENTS = 10_000  # the template's default


def test_the_same_seed_gives_the_same_orders() -> None:
    """Also under another run's name, which only changes their keys; another seed gives others."""
    mix = parse_mix(ALL)

    bodies = [
        [intent.body for intent in mix.intents(seed=seed, run=run, orders=200)]
        for seed, run in ((1, "a"), (1, "b"), (2, "a"))
    ]

    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]


def test_the_shares_are_those_of_the_mix() -> None:
    """Within four deviations of a binomial count."""
    orders = 20_000
    mix = parse_mix(ALL)

    counts = Counter(intent.kind for intent in mix.intents(seed=5, run="a", orders=orders))

    for name, percent in mix.percent:
        share = percent / 100
        assert counts[name] == pytest.approx(orders * share, abs=4 * (orders * share * (1 - share)) ** 0.5), name
    assert counts.total() == orders


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_what_it_says(name: str) -> None:
    """The API takes all but `invalid`, and only `large` is large enough to be announced."""
    mix = Mix() if name == "normal" else Mix(((name, 100.0),))

    for intent in mix.intents(seed=3, run="a", orders=50):
        assert intent.kind == name
        if name == "invalid":
            with pytest.raises(ValidationError, match="not on the menu"):
                OrderRequest.model_validate(intent.body)
            continue
        order = OrderRequest.model_validate(intent.body)
        assert (total_cents(priced(order)) >= LARGE_ORDER_CENTS) == (name == "large")
        assert (order.priority == "express") == (name == "express")
        assert order.fault == KINDS[name].fault
        assert (intent.sends, intent.cancels) == (2 if name == "duplicate" else 1, name == "cancel")


def test_every_order_has_a_key_of_its_own() -> None:
    """And none that another run would use."""
    keys = [intent.idempotency_key for run in ("a", "b") for intent in Mix().intents(seed=1, run=run, orders=500)]

    assert len(set(keys)) == 1000


def test_own_orders_begin_again_when_they_run_out() -> None:
    """In their order, each time under another key."""
    own = OwnOrders(({"customer_id": "ada"}, {"customer_id": "alan"}))

    intents = list(own.intents(seed=1, run="a", orders=5))

    assert [intent.body["customer_id"] for intent in intents] == ["ada", "alan", "ada", "alan", "ada"]
    assert len({intent.idempotency_key for intent in intents}) == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("decaf=3", "no kind 'decaf'; choose from express"),
        ("normal=50", "no kind 'normal'"),
        ("express", "express needs a percentage, such as express=2"),
        ("express=much", "express needs a percentage"),
        ("express=-1", "not between 0 and 100"),
        ("express=nan", "not between 0 and 100"),
        ("express=1,express=2", "there twice"),
        ("express=60,large=60", "120 percent, more than 100"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    """With what can be said instead."""
    with pytest.raises(ValueError, match=said):
        parse_mix(text)


def test_no_mix_is_all_normal() -> None:
    """An empty text is one too."""
    assert parse_mix("") == Mix()
    assert {intent.kind for intent in Mix().intents(seed=1, run="a", orders=20)} == {"normal"}

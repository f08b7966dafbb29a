"""Refused orders: grouped by reason, and not valid unless they were meant."""

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.refusals import refusals
from orderboard.burst.judge.verdict import judge
from orderboard.burst.load.mix import OwnOrders, burst_endings
from orderboard.burst.model import Refusal
from orderboard.ledger.ledger import Evidence
from orderboard.orders.kinds import ENDINGS


def refused(key: str, reason: str, *, line: int = 0, example: str = "", may_be_refused: bool = False) -> Attempt:
    """An own order that was refused."""
    return Attempt(
        "own",
        key,
        "refused",
        frozenset(ENDINGS),
        refusals=(reason,),
        line=line,
        example=example,
        may_be_refused=may_be_refused,
    )


def test_reasons_that_differ_only_in_a_value_are_one_group() -> None:
    """With how many, the first of them, its line and its order."""
    attempts = [
        refused("1", "422 /lines: 0 lines; an order has 1 to 20", line=2, example='{"lines": []}'),
        refused("2", "422 /lines: 21 lines; an order has 1 to 20", line=5),
        refused("3", "404 no such page", line=7, example="{}"),
        Attempt("invalid", "4", "refused", burst_endings("invalid"), refusals=("422 /lines: 0 lines",)),
    ]

    assert refusals(attempts) == (
        Refusal(
            reason="422 /lines: 0 lines; an order has 1 to 20",
            kind="own",
            orders=2,
            meant=False,
            example='{"lines": []}',
            line=2,
        ),
        Refusal(reason="404 no such page", kind="own", orders=1, meant=False, example="{}", line=7),
        Refusal(reason="422 /lines: 0 lines", kind="invalid", orders=1, meant=True),
    )


def test_a_burst_whose_own_orders_are_refused_is_not_valid() -> None:
    """Unless that was meant; an invalid order of the mix must be refused."""
    invalid = Attempt("invalid", "0", "refused", burst_endings("invalid"))

    def verdict(*attempts: Attempt) -> tuple[bool, int, int]:
        found = judge(attempts, Evidence(), large_order_cents=5000, end="drained").verdict
        return found.valid, found.refused, found.refused_unmeant

    assert verdict(invalid) == (True, 1, 0)
    assert verdict(invalid, refused("1", "422")) == (False, 2, 1)
    assert verdict(invalid, refused("1", "422", may_be_refused=True)) == (True, 2, 0)


def test_own_orders_know_their_lines() -> None:
    """Also when they are repeated, and when the file has empty lines."""
    own = OwnOrders(((1, {}), (3, {})), may_be_refused=True)

    assert [order.line for order in own.orders(seed=1, run="run", count=4)] == [1, 3, 1, 3]
    assert all(order.may_be_refused for order in own.orders(seed=1, run="run", count=2))

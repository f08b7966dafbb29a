"""The proof line: every accepted order is counted once, and one is missing only when nothing is under way any more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest
from orderboard.console.proof import ASKED_AT_ONCE, Proof, Verdict


@dataclass
class Table:
    """The orders that are recorded, and how many were asked for."""

    rows: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def ask(self, order_ids: Collection[str]) -> Mapping[str, str]:
        """Those of them that have a row."""
        self.asked += len(order_ids)
        return {each: self.rows[each] for each in order_ids if each in self.rows}


def test_every_order_counts_once() -> None:
    """Whatever ended, rests or is on its way adds up to what was accepted, though one was accepted twice."""
    table = Table({"a": "completed", "b": "rejected", "c": "cancelled", "d": "cancellation_pending"})
    proof = Proof(table.ask)

    verdict = proof.verdict(["a", "b", "c", "d", "e", "f", "a"], {"e"}, under_way=True, now_s=0)

    assert verdict == Verdict(placed=6, completed=1, rejected=1, cancelled=1, resting=1, on_its_way=2, missing=0)
    assert not verdict.document()["balanced"]


def test_one_that_rested_and_was_redriven_is_completed() -> None:
    """A dead letter that is made after all moves from resting to completed."""
    table = Table()
    proof = Proof(table.ask)
    assert proof.verdict(["a"], {"a"}, under_way=False, now_s=0).resting == 1

    table.rows["a"] = "completed"
    verdict = proof.verdict([], (), under_way=False, now_s=1)

    assert (verdict.completed, verdict.resting, verdict.document()["balanced"]) == (1, 0, True)


def test_what_is_nowhere_is_missing_after_a_while() -> None:
    """An order that neither ended nor rests is on its way while anything moves, and missing 5 s after that."""
    proof = Proof(Table().ask)

    assert proof.verdict(["a"], (), under_way=True, now_s=0).on_its_way == 1
    assert proof.verdict([], (), under_way=False, now_s=10).on_its_way == 1
    assert proof.verdict([], (), under_way=False, now_s=14).on_its_way == 1
    assert proof.verdict([], (), under_way=False, now_s=15).missing == 1
    assert proof.verdict([], (), under_way=True, now_s=16).missing == 0


def test_an_order_that_has_ended_is_not_asked_for_again() -> None:
    """A long run costs the table about one read for each order."""
    orders = [f"order-{number}" for number in range(2 * ASKED_AT_ONCE)]
    table = Table(dict.fromkeys(orders, "completed"))
    proof = Proof(table.ask)

    for second in range(10):
        verdict = proof.verdict(orders if second == 0 else [], (), under_way=True, now_s=second)

    assert verdict.completed == len(orders)
    assert table.asked == len(orders)


@pytest.mark.parametrize("backlog", [ASKED_AT_ONCE - 1, 10 * ASKED_AT_ONCE])
def test_a_backlog_hides_nothing(backlog: int) -> None:
    """Orders that wait long do not keep later ones from being found."""
    waiting = [f"waits-{number}" for number in range(backlog)]
    table = Table({"late": "completed"})
    proof = Proof(table.ask)
    proof.verdict([*waiting, "late"], (), under_way=True, now_s=0)

    for second in range(1, 12):
        verdict = proof.verdict([], (), under_way=True, now_s=second)

    assert (verdict.completed, verdict.on_its_way) == (1, backlog)

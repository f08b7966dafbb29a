"""Reconciliation: every accepted order counts once, and is missing only when nothing moves any more."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from orderboard.console.balance import BATCH, Balance, Reconciliation
from orderboard.console.reconcile import AcceptedOrders, Losses
from orderboard.ledger.evidence import final_rows_of
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import Ending
from orderboard.system.target import Target


@dataclass
class Table:
    """The recorded orders, and how many were looked up."""

    rows: dict[str, Ending] = field(default_factory=dict)
    looked_up: int = 0

    def look_up(self, order_ids: Collection[str]) -> Mapping[str, Ending]:
        """Return how those ended that are final."""
        self.looked_up += len(order_ids)
        return {each: self.rows[each] for each in order_ids if each in self.rows}


def _dead(order_id: str) -> DeadLetter:
    return DeadLetter("work-dlq", "m1", order_id, PLACED, 5)


def test_every_order_counts_once() -> None:
    """Final, dead-lettered and open orders add up to the accepted ones, even if one was accepted twice."""
    table = Table({"a": "completed", "b": "rejected", "c": "cancelled"})
    orders = Reconciliation(table.look_up)

    balance = orders.balance(["a", "b", "c", "d", "e", "f", "a"], [_dead("e")], busy=True, now_s=0)

    assert balance == Balance(placed=6, completed=1, rejected=1, cancelled=1, dead_lettered=1, on_its_way=2, missing=0)
    assert not balance.document()["balanced"]


def test_a_tombstone_is_not_final() -> None:
    """An order whose cancellation came first is open until the order itself arrives."""
    rows = [{"order_id": {"S": key}, "status": {"S": key}} for key in ("completed", "cancellation_pending")]
    dynamodb = SimpleNamespace(batch_get_item=lambda **_: {"Responses": {"orders": rows}})
    target = SimpleNamespace(dynamodb=dynamodb, outputs=SimpleNamespace(orders_table="orders"))

    assert final_rows_of(cast(Target, target), ["completed", "cancellation_pending"]) == {"completed": "completed"}


def test_a_redriven_order_is_completed() -> None:
    """A dead letter that is handled after all moves from dead_lettered to completed."""
    table = Table()
    orders = Reconciliation(table.look_up)
    assert orders.balance(["a"], [_dead("a")], busy=False, now_s=0).dead_lettered == 1

    table.rows["a"] = "completed"
    balance = orders.balance([], (), busy=False, now_s=1)

    assert (balance.completed, balance.dead_lettered, balance.document()["balanced"]) == (1, 0, True)


def test_the_duplicate_of_an_order_that_ended_is_shown_apart() -> None:
    """The order counts as completed, once, and the board balances."""
    balance = Reconciliation(Table({"a": "completed"}).look_up).balance(["a"], [_dead("a")], busy=False, now_s=0)

    assert (balance.completed, balance.dead_lettered, balance.dead_lettered_duplicates) == (1, 0, 1)
    assert balance.document()["balanced"]


def test_an_order_that_is_nowhere_is_missing_after_a_while() -> None:
    """An open order outside dead-letter queues is on its way while anything moves, and missing 5 s after that."""
    orders = Reconciliation(Table().look_up)

    assert orders.balance(["a"], (), busy=True, now_s=0).on_its_way == 1
    assert orders.balance([], (), busy=False, now_s=10).on_its_way == 1
    assert orders.balance([], (), busy=False, now_s=14).on_its_way == 1
    assert orders.balance([], (), busy=False, now_s=15).missing == 1
    assert orders.balance([], (), busy=True, now_s=16).missing == 0


def test_a_purged_order_is_not_missing() -> None:
    """An order whose dead letter the user deleted counts as purged, at once and for good, unless it is sent again."""
    table = Table()
    orders = Reconciliation(table.look_up)
    orders.balance(["a", "b"], [_dead("a"), _dead("b")], busy=False, now_s=0)

    orders.purged(["a"])
    balance = orders.balance([], [_dead("b")], busy=False, now_s=100)
    assert (balance.purged, balance.dead_lettered, balance.on_its_way, balance.missing) == (1, 1, 0, 0)
    assert balance.document()["balanced"]

    assert orders.balance(["a"], [_dead("b")], busy=True, now_s=101).purged == 0
    table.rows["a"] = "completed"
    assert orders.balance([], [], busy=True, now_s=102).completed == 1


def test_stopped_deliveries_are_counted_since_the_reset() -> None:
    """A reset counts from then on; after a restart of localbus, whose counts begin at 0, everything is new."""
    losses = Losses()
    assert [each["count"] for each in losses.new([_loss(3)])] == [3]

    losses.reset()
    assert losses.new([_loss(3)]) == []
    assert [each["count"] for each in losses.new([_loss(5)])] == [2]
    assert [each["count"] for each in losses.new([_loss(1)])] == [1]


@pytest.mark.parametrize("event", ["moved", "expired", "retry_scheduled", "filtered"])
def test_other_losses_are_not_stopped_deliveries(event: str) -> None:
    """A dead letter is counted as such; what is retried or filtered out is not lost on the way to a queue."""
    assert Losses().new([_loss(3, event)]) == []


def _loss(count: int, event: str = "dropped") -> dict[str, object]:
    way = {"source": "topic", "target": "queue", "code": "AccessDenied"}
    return {"event": event, **way, "reason": "no policy", "count": count}


def test_a_final_order_is_not_looked_up_again() -> None:
    """A long run costs the table about one read an order."""
    ids = [f"order-{number}" for number in range(2 * BATCH)]
    table = Table(dict.fromkeys(ids, "completed"))
    orders = Reconciliation(table.look_up)

    for second in range(10):
        balance = orders.balance(ids if second == 0 else [], (), busy=True, now_s=second)

    assert balance.completed == len(ids)
    assert table.looked_up == len(ids)


@pytest.mark.parametrize("backlog", [BATCH - 1, 10 * BATCH])
def test_a_backlog_hides_nothing(backlog: int) -> None:
    """Orders that wait for long do not keep later ones from being found."""
    waiting = [f"waits-{number}" for number in range(backlog)]
    orders = Reconciliation(Table({"late": "completed"}).look_up)
    orders.balance([*waiting, "late"], (), busy=True, now_s=0)

    for second in range(1, 12):
        balance = orders.balance([], (), busy=True, now_s=second)

    assert (balance.completed, balance.on_its_way) == (1, backlog)


def test_each_log_line_is_read_once_and_only_when_complete(tmp_path: Path) -> None:
    """Appended lines are read the next time, a partial line when it is complete; other lines are ignored."""
    path = tmp_path / "order-api.log"
    orders = AcceptedOrders(path)
    assert orders.new() == []

    second = _line("order.accepted", "b")
    path.write_text(
        _line("order.accepted", "a") + _line("cancellation.accepted", "a") + '"order.accepted" no JSON\n' + second[:20]
    )
    assert orders.new() == ["a"]

    with path.open("a") as log:
        log.write(second[20:])
    assert orders.new() == ["b"]
    assert orders.new() == []


def test_orders_accepted_before_the_opening_of_an_exercise_are_left_out(tmp_path: Path) -> None:
    """Its start state has deleted them; those of the start state itself, and later ones, count."""
    path = tmp_path / "order-api.log"
    times = {"before": "11:59:59", "start-state": "12:00:00", "later": "12:00:01"}
    lines = (
        f'{{"message":"order.accepted","order_id":"{name}","timestamp":"2026-11-29 {at}+00:00"}}\n'
        for name, at in times.items()
    )
    path.write_text("".join(lines))

    assert AcceptedOrders(path, datetime(2026, 11, 29, 12, tzinfo=UTC)).new() == ["start-state", "later"]


def test_a_log_that_became_shorter_is_read_from_its_start(tmp_path: Path) -> None:
    """Another order-api may begin the log anew."""
    path = tmp_path / "order-api.log"
    path.write_text(_line("order.accepted", "a") * 3)
    orders = AcceptedOrders(path)
    assert orders.new() == ["a"] * 3

    path.write_text(_line("order.accepted", "b"))
    assert orders.new() == ["b"]


def _line(event: str, order_id: str) -> str:
    return json.dumps({"timestamp": "2026-01-01T08:00:00Z", "message": event, "order_id": order_id}) + "\n"

"""Every way in which a ledger can fail to balance, each by a case that produces it."""

from dataclasses import replace

from orderboard.ledger.discrepancy import (
    DeadLetterUnexpected,
    Doubled,
    Lost,
    MissingAlert,
    NotAccepted,
    NotRefused,
    OrderUnexpected,
    OutcomeNotPublished,
    SplitDuplicate,
    UnexpectedAlert,
    WrongEnding,
)
from orderboard.ledger.ledger import Announcement, Evidence, Ledger, Outcome, Placed, balance
from orderboard.orders.dead_letters import DeadLetter

PLACED = "orderboard.order.placed.v1"
LARGE_CENTS = 10_000

NORMAL = Placed("normal", frozenset({"completed"}), order_ids=("a",), total_cents=500)
MADE = Evidence(final_rows={"a": "completed"}, outcomes=(Outcome("event-1", "a", "completed"),))


def _judge(placed: Placed, evidence: Evidence) -> Ledger:
    return balance([placed], evidence, large_order_cents=LARGE_CENTS)


def _resting(order_id: str | None = "a", event_type: str | None = PLACED) -> DeadLetter:
    return DeadLetter("work-dlq", "message-1", order_id, event_type, 5, "poison")


def test_an_order_made_once_balances() -> None:
    """An accepted order with one final row and one outcome on the bus is all right, and listed."""
    ledger = _judge(NORMAL, MADE)

    assert ledger.balanced
    assert [(entry.order_id, entry.ended) for entry in ledger.entries] == [("a", "completed")]


def test_an_outcome_that_is_said_again_is_still_one() -> None:
    """A redelivery repeats an outcome under the same event id, which doubles nothing."""
    evidence = replace(MADE, outcomes=MADE.outcomes * 2)

    assert _judge(NORMAL, evidence).balanced


def test_lost() -> None:
    """An accepted order that is nowhere is lost."""
    ledger = _judge(NORMAL, Evidence())

    assert ledger.discrepancies == (Lost("a", "normal"),)
    assert ledger.entries[0].ended is None


def test_doubled_by_two_outcomes() -> None:
    """Two different outcome events are two endings, though the table has one row."""
    evidence = replace(MADE, outcomes=(*MADE.outcomes, Outcome("event-2", "a", "completed")))

    (found,) = _judge(NORMAL, evidence).discrepancies

    assert isinstance(found, Doubled)
    assert "event-1" in str(found)
    assert "event-2" in str(found)


def test_doubled_by_a_row_and_a_dead_letter() -> None:
    """An order that is made and rests in a dead-letter queue as well would be made again by a redrive."""
    evidence = replace(MADE, dead_letters=(_resting(),))

    assert Doubled("a", "normal", ("completed", "dead-lettered")) in _judge(NORMAL, evidence).discrepancies


def test_wrong_ending() -> None:
    """An order that ends once, but not where its kind may end, is named with what was expected."""
    sold_out = replace(NORMAL, kind="sold out", may_end=frozenset({"rejected"}))

    assert _judge(sold_out, MADE).discrepancies == (WrongEnding("a", "sold out", "completed", ("rejected",)),)


def test_unsaid() -> None:
    """A final row of which the bus never heard is a lost event."""
    evidence = replace(MADE, outcomes=())

    assert _judge(NORMAL, evidence).discrepancies == (OutcomeNotPublished("a", "normal", "completed"),)


def test_an_order_that_nobody_placed() -> None:
    """A row for which nobody was answered 202 is named."""
    evidence = replace(MADE, final_rows={"a": "completed", "z": "rejected"})

    assert _judge(NORMAL, evidence).discrepancies == (OrderUnexpected("z", "rejected in the table"),)


def test_a_poisoned_order_belongs_in_the_dead_letter_queue() -> None:
    """An order that may only end dead-lettered balances there, and nowhere else."""
    poisoned = replace(NORMAL, kind="poisoned", may_end=frozenset({"dead-lettered"}))

    assert _judge(poisoned, Evidence(dead_letters=(_resting(),))).balanced
    assert not _judge(poisoned, MADE).balanced


def test_a_dead_letter_that_is_no_order() -> None:
    """A dead letter that is no event, no placement, or an order that was only to be announced, nobody expected."""
    no_event = replace(MADE, dead_letters=(_resting(None, None),))
    cancellation = replace(MADE, dead_letters=(_resting("a", "orderboard.order.cancellation_requested.v1"),))
    announcement = replace(MADE, dead_letters=(replace(_resting(), is_fact=True),))

    for evidence in (no_event, cancellation, announcement):
        (found,) = _judge(NORMAL, evidence).discrepancies
        assert isinstance(found, DeadLetterUnexpected)


def test_not_refused() -> None:
    """An order that the API must refuse and takes is named, wherever it ends."""
    unicorn = replace(NORMAL, kind="not on the menu", may_end=frozenset())

    assert _judge(unicorn, MADE).discrepancies == (NotRefused("a", "not on the menu"),)


def test_refused_as_it_must_be() -> None:
    """A refused order is no entry, and nothing is wrong with that."""
    unicorn = Placed("not on the menu", frozenset(), refusals=("422 unknown",))

    ledger = _judge(unicorn, Evidence())

    assert ledger.balanced
    assert (ledger.refused, ledger.entries) == (1, ())


def test_not_accepted() -> None:
    """An order that the API should take and does not is named with what the API said."""
    turned_away = Placed("normal", frozenset({"completed"}), refusals=("503 busy",))

    assert _judge(turned_away, Evidence()).discrepancies == (NotAccepted("normal", ("503 busy",)),)


def test_a_duplicate_that_became_a_second_order() -> None:
    """One Idempotency-Key that gave two order ids is named, though both orders were made."""
    twice = replace(NORMAL, kind="sent twice", order_ids=("a", "b"))
    evidence = Evidence(
        final_rows={"a": "completed", "b": "completed"},
        outcomes=(Outcome("event-1", "a", "completed"), Outcome("event-2", "b", "completed")),
    )

    assert _judge(twice, evidence).discrepancies == (SplitDuplicate(("a", "b"), "sent twice"),)


def test_missing_alerts_of_every_kind() -> None:
    """Large orders, rejections, express orders that are ready and refused cancellations are all due an alert."""
    large = replace(NORMAL, total_cents=LARGE_CENTS)
    express = replace(NORMAL, express=True)
    too_late = replace(NORMAL, cancellation_accepted=True)
    rejected = replace(NORMAL, may_end=frozenset({"rejected"}))
    refused_row = Evidence(final_rows={"a": "rejected"}, outcomes=(Outcome("event-1", "a", "rejected"),))

    assert _judge(large, MADE).discrepancies == (MissingAlert("large_order", "a"),)
    assert _judge(express, MADE).discrepancies == (MissingAlert("express_ready", "a"),)
    assert _judge(too_late, MADE).discrepancies == (MissingAlert("cancellation_refused", "a"),)
    assert _judge(rejected, refused_row).discrepancies == (MissingAlert("order_rejected", "a"),)


def test_one_cent_less_is_not_large() -> None:
    """The limit itself is large, and one cent less is not."""
    assert _judge(replace(NORMAL, total_cents=LARGE_CENTS - 1), MADE).balanced


def test_a_cancellation_in_time_is_due_no_alert() -> None:
    """An order that was cancelled in time ends as cancelled and nobody is alerted."""
    order = replace(NORMAL, may_end=frozenset({"cancelled", "completed"}), cancellation_accepted=True)
    evidence = Evidence(final_rows={"a": "cancelled"}, outcomes=(Outcome("event-1", "a", "cancelled"),))

    assert _judge(order, evidence).balanced


def test_an_alert_that_was_not_due() -> None:
    """An alert for an order that was due none is named."""
    evidence = replace(MADE, announcements=(Announcement("alert-1", "large_order", "a"),))

    assert _judge(NORMAL, evidence).discrepancies == (UnexpectedAlert("large_order", "a", 1, 0),)


def test_an_alert_announced_as_two() -> None:
    """Two alerts with ids of their own are two; the same id twice is one that was delivered twice."""
    express = replace(NORMAL, express=True)
    first, second = (Announcement(f"alert-{number}", "express_ready", "a") for number in (1, 2))

    delivered_twice = _judge(express, replace(MADE, announcements=(first, first)))
    announced_twice = _judge(express, replace(MADE, announcements=(first, second)))

    assert delivered_twice.balanced
    assert announced_twice.discrepancies == (UnexpectedAlert("express_ready", "a", 2, 1),)
    assert announced_twice.alerts["express_ready"] == (1, 2)

"""Every way in which a ledger can fail to balance, each by a case that produces it."""

from dataclasses import replace
from typing import Any

import pytest
from orderboard.ledger.discrepancy import (
    DeadLetterUnexpected,
    Discrepancy,
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
from orderboard.ledger.ledger import Announcement, Entry, Evidence, Ledger, Outcome, Placed, balance
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import Ending

LARGE_CENTS = 10_000


def _made(ended: Ending = "completed") -> Evidence:
    return Evidence(final_rows={"a": ended}, outcomes=(Outcome("event-1", "a", ended),))


NORMAL = Placed("normal", frozenset({"completed"}), order_ids=("a",), total_cents=500)
REFUSED = Placed("invalid", frozenset(), refusals=("422 unknown",))
MADE = _made()
DEAD = DeadLetter("work-dlq", "message-1", "a", PLACED, 5, "poison")
LATE = replace(NORMAL, may_end=frozenset({"completed", "dead-lettered"}))
CANCELLATION, COMPLETED = "orderboard.order.cancellation_requested.v1", "orderboard.order.completed.v1"
FIRST, SECOND = (Announcement(f"alert-{number}", "express_ready", "a") for number in (1, 2))


def _judge(placed: Placed, evidence: Evidence) -> Ledger:
    return balance([placed], evidence, large_order_cents=LARGE_CENTS)


def test_an_order_made_once_is_listed() -> None:
    """An accepted order with one final row and one outcome on the bus balances, and is an entry."""
    ledger = _judge(NORMAL, MADE)

    assert ledger.balanced
    assert [(entry.order_id, entry.ended) for entry in ledger.entries] == [("a", "completed")]


def test_a_refused_order_is_counted() -> None:
    """An order that the API must refuse, and refuses, is counted without an entry."""
    ledger = _judge(REFUSED, Evidence())

    assert ledger.balanced
    assert (ledger.refused, ledger.entries) == (1, ())


@pytest.mark.parametrize(
    ("placed", "evidence"),
    [
        pytest.param(NORMAL, replace(MADE, outcomes=MADE.outcomes * 2), id="a redelivery repeats the event id"),
        pytest.param(
            replace(NORMAL, may_end=frozenset({"dead-lettered"})),
            Evidence(dead_letters=(DEAD,)),
            id="a poisoned order is in a dead-letter queue",
        ),
        pytest.param(replace(NORMAL, total_cents=LARGE_CENTS - 1), MADE, id="one cent below the limit is not large"),
        pytest.param(
            replace(NORMAL, may_end=frozenset({"cancelled", "completed"}), cancellation_accepted=True),
            _made("cancelled"),
            id="a cancellation in time is due no alert",
        ),
        pytest.param(
            replace(NORMAL, express=True),
            replace(MADE, announcements=(FIRST, FIRST)),
            id="an alert delivered twice under one id",
        ),
        pytest.param(
            replace(NORMAL, express=True),
            Evidence(final_rows={"a": "completed"}, rows_only=True),
            id="bus and inbox were not observed",
        ),
    ],
)
def test_it_balances(placed: Placed, evidence: Evidence) -> None:
    """These are no discrepancies."""
    assert _judge(placed, evidence).discrepancies == ()


@pytest.mark.parametrize(
    ("placed", "evidence", "discrepancy"),
    [
        pytest.param(NORMAL, Evidence(), Lost("a", "normal"), id="an accepted order that is nowhere"),
        pytest.param(
            NORMAL,
            replace(MADE, outcomes=(*MADE.outcomes, Outcome("event-2", "a", "completed"))),
            Doubled("a", "normal", ("completed (event event-1)", "completed (event event-2)")),
            id="two outcome events, though the table has one row",
        ),
        pytest.param(
            replace(NORMAL, kind="sold out", may_end=frozenset({"rejected"})),
            MADE,
            WrongEnding("a", "sold out", "completed", ("rejected",)),
            id="one end, but not one that its kind allows",
        ),
        pytest.param(
            replace(NORMAL, may_end=frozenset({"dead-lettered"})),
            MADE,
            WrongEnding("a", "normal", "completed", ("dead-lettered",)),
            id="a poisoned order that was made",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, outcomes=()),
            OutcomeNotPublished("a", "normal", "completed"),
            id="a final row without an outcome on the bus",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, final_rows={"a": "completed", "z": "rejected"}),
            OrderUnexpected("z", "rejected in the table"),
            id="a row of an order that was never answered 202",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, dead_letters=(replace(DEAD, order_id=None, event_type=None),)),
            DeadLetterUnexpected("work-dlq", "message-1", "not an event"),
            id="a dead letter that is not an event",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, dead_letters=(replace(DEAD, event_type=CANCELLATION),)),
            DeadLetterUnexpected("work-dlq", "message-1", CANCELLATION, "a"),
            id="a dead letter that is a cancellation",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, dead_letters=(replace(DEAD, is_fact=True),)),
            DeadLetterUnexpected("work-dlq", "message-1", PLACED, "a"),
            id="a dead letter that was to be announced",
        ),
        pytest.param(
            replace(NORMAL, may_end=frozenset()), MADE, NotRefused("a", "normal"), id="accepted, though invalid"
        ),
        pytest.param(
            replace(NORMAL, order_ids=(), refusals=("503 busy",)),
            Evidence(),
            NotAccepted("normal", ("503 busy",)),
            id="refused, though valid",
        ),
        pytest.param(
            replace(NORMAL, order_ids=("a", "b")),
            Evidence(
                final_rows={"a": "completed", "b": "completed"},
                outcomes=(Outcome("event-1", "a", "completed"), Outcome("event-2", "b", "completed")),
            ),
            SplitDuplicate(("a", "b"), "normal"),
            id="one Idempotency-Key that gave two orders, though both were made",
        ),
        pytest.param(
            replace(NORMAL, total_cents=LARGE_CENTS), MADE, MissingAlert("large_order", "a"), id="large, not announced"
        ),
        pytest.param(
            replace(NORMAL, express=True), MADE, MissingAlert("express_ready", "a"), id="express, not announced"
        ),
        pytest.param(
            replace(NORMAL, cancellation_accepted=True),
            MADE,
            MissingAlert("cancellation_refused", "a"),
            id="a refused cancellation, not announced",
        ),
        pytest.param(
            replace(NORMAL, may_end=frozenset({"rejected"})),
            _made("rejected"),
            MissingAlert("order_rejected", "a"),
            id="a rejection, not announced",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, announcements=(Announcement("alert-1", "large_order", "a"),)),
            UnexpectedAlert("large_order", "a", 1, 0),
            id="an alert that was not due",
        ),
        pytest.param(
            replace(NORMAL, express=True),
            replace(MADE, announcements=(FIRST, SECOND)),
            UnexpectedAlert("express_ready", "a", 2, 1),
            id="one alert announced under two ids",
        ),
    ],
)
def test_a_discrepancy_is_named(placed: Placed, evidence: Evidence, discrepancy: Discrepancy) -> None:
    """Each is found alone, and its sentence names the order, message or kind."""
    ledger = _judge(placed, evidence)

    assert ledger.discrepancies == (discrepancy,)
    names = {"a", "b", "z", "message-1", placed.kind}
    assert any(name in str(discrepancy) for name in names)


def test_an_order_whose_duplicate_is_dead_lettered_was_made_once() -> None:
    """It balances, and its entry says so: a redrive only repeats the recorded outcome. The demo's rule, too."""
    (entry,) = _judge(NORMAL, replace(MADE, dead_letters=(DEAD, replace(DEAD, message_id="message-2")))).entries

    assert entry == Entry("a", "normal", "completed", (), dead_lettered_duplicate=True)
    assert _judge(NORMAL, replace(MADE, dead_letters=(DEAD,))).balanced


def test_an_order_without_its_outcome_event_is_dead_lettered() -> None:
    """Its row is final, its event was never published and its message rests in a dead-letter queue: late, not lost."""
    evidence = replace(MADE, outcomes=(), dead_letters=(DEAD,))

    (entry,) = _judge(LATE, evidence).entries

    assert entry == Entry("a", "normal", "dead-lettered", ())
    assert _judge(LATE, evidence).balanced
    assert _judge(NORMAL, evidence).discrepancies == (WrongEnding("a", "normal", "dead-lettered", ("completed",)),)


@pytest.mark.parametrize(
    ("placed", "letter"),
    [
        pytest.param({"total_cents": LARGE_CENTS}, replace(DEAD, is_fact=True), id="the event of a large order"),
        pytest.param({"express": True}, replace(DEAD, event_type=COMPLETED, is_fact=True), id="an outcome event"),
        pytest.param({"cancellation_accepted": True}, replace(DEAD, event_type=CANCELLATION), id="a cancellation"),
    ],
)
def test_an_alert_that_waits_in_a_dead_letter_queue_is_late(placed: dict[str, Any], letter: DeadLetter) -> None:
    """Not missing, and its dead letter is not unexpected, where the order itself may be dead-lettered."""
    evidence = replace(MADE, dead_letters=(letter,))

    assert _judge(replace(LATE, **placed), evidence).balanced
    assert len(_judge(replace(NORMAL, **placed), evidence).discrepancies) == 2
    assert not _judge(replace(LATE, **placed), MADE).balanced


def test_alerts_are_counted_by_kind() -> None:
    """Each kind has the number of alerts that were due and that were announced."""
    ledger = _judge(replace(NORMAL, express=True), replace(MADE, announcements=(FIRST, SECOND)))

    assert ledger.alerts["express_ready"] == (1, 2)
    assert ledger.alerts["large_order"] == (0, 0)

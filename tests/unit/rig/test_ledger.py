"""Every way in which a ledger can fail to balance, each by a case that produces it."""

from dataclasses import replace

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
from orderboard.ledger.ledger import Announcement, Evidence, Ledger, Outcome, Placed, balance
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import Ending

LARGE_CENTS = 10_000


def _made(ended: Ending = "completed") -> Evidence:
    return Evidence(final_rows={"a": ended}, outcomes=(Outcome("event-1", "a", ended),))


NORMAL = Placed("normal", frozenset({"completed"}), order_ids=("a",), total_cents=500)
REFUSED = Placed("invalid", frozenset(), refusals=("422 unknown",))
MADE = _made()
DEAD = DeadLetter("work-dlq", "message-1", "a", PLACED, 5, "poison")
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
            replace(MADE, dead_letters=(replace(DEAD, event_type="orderboard.order.cancellation_requested.v1"),)),
            DeadLetterUnexpected("work-dlq", "message-1", "orderboard.order.cancellation_requested.v1"),
            id="a dead letter that is a cancellation",
        ),
        pytest.param(
            NORMAL,
            replace(MADE, dead_letters=(replace(DEAD, is_fact=True),)),
            DeadLetterUnexpected("work-dlq", "message-1", PLACED),
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


def test_made_and_dead_lettered_is_doubled() -> None:
    """An order that is made and is in a dead-letter queue as well would be made again by a redrive."""
    evidence = replace(MADE, dead_letters=(DEAD,))

    assert Doubled("a", "normal", ("completed", "dead-lettered")) in _judge(NORMAL, evidence).discrepancies


def test_alerts_are_counted_by_kind() -> None:
    """Each kind has the number of alerts that were due and that were announced."""
    ledger = _judge(replace(NORMAL, express=True), replace(MADE, announcements=(FIRST, SECOND)))

    assert ledger.alerts["express_ready"] == (1, 2)
    assert ledger.alerts["large_order"] == (0, 0)

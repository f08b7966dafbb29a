"""The verdict: every class of finding has a case that produces it."""

from dataclasses import replace

import pytest
from orderboard.burst.judge.verdict import Attempt, End, judge
from orderboard.burst.load.mix import burst_endings
from orderboard.burst.model import BurstVerdict
from orderboard.ledger.ledger import Announcement, Evidence, Outcome
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import Ending, KindName
from orderboard_contracts.identity import order_id_for

LARGE_ORDER_CENTS = 10_000
DLQ = "stack-work-dlq"


def attempt(key: str, kind: KindName = "normal", **more: object) -> Attempt:
    """An order that was answered 202."""
    accepted = Attempt(kind, key, "acknowledged", burst_endings(kind), (order_id_for(key),), total_cents=500)
    return replace(accepted, **more)  # type: ignore[arg-type]


def refused(key: str) -> Attempt:
    """An invalid order that was answered 422."""
    return Attempt("invalid", key, "refused", burst_endings("invalid"))


def unanswered(key: str, kind: KindName = "normal") -> Attempt:
    """An order that may have landed or not."""
    return Attempt(kind, key, "unavailable", burst_endings(kind))


def ended(key: str, ending: Ending = "completed") -> tuple[dict[str, Ending], Outcome]:
    """The row and the outcome event of an order."""
    order_id = order_id_for(key)
    return {order_id: ending}, Outcome(f"event-{key}", order_id, ending)


def evidence(*endings: tuple[dict[str, Ending], Outcome], **more: object) -> Evidence:
    """Combine rows and outcomes."""
    rows = {order_id: ending for row, _ in endings for order_id, ending in row.items()}
    found = Evidence(final_rows=rows, outcomes=tuple(outcome for _, outcome in endings))
    return replace(found, **more)  # type: ignore[arg-type]


def letter(key: str | None, event_type: str | None = PLACED) -> DeadLetter:
    """A message that rests in a dead-letter queue."""
    return DeadLetter(DLQ, f"message-{key}", None if key is None else order_id_for(key), event_type, 5)


def judged(attempts: list[Attempt], found: Evidence, *, end: End = "drained") -> BurstVerdict:
    """Return the verdict."""
    return judge(attempts, found, large_order_cents=LARGE_ORDER_CENTS, end=end).verdict


def classes(verdict: BurstVerdict) -> tuple[int, int, int]:
    """Return lost, duplicated and unexpected."""
    return verdict.lost, verdict.duplicated, verdict.unexpected


def test_a_good_pipeline_is_valid() -> None:
    """Every ending is counted, and the sums are those that the model documents."""
    attempts = [
        attempt("a"),
        attempt("b", "sold_out"),
        attempt("c", "cancel", cancellation="acknowledged"),
        attempt("d", "poison"),
        refused("e"),
        unanswered("f"),
        unanswered("g"),
    ]
    announcement = Announcement("alert-b", "order_rejected", order_id_for("b"))
    found = evidence(
        ended("a"),
        ended("b", "rejected"),
        ended("c", "cancelled"),
        ended("f"),
        dead_letters=(letter("d"),),
        announcements=(announcement, announcement),  # delivered twice
    )

    verdict = judged(attempts, found)

    assert verdict.findings == ()
    assert verdict.valid
    assert (verdict.attempted, verdict.acknowledged, verdict.refused, verdict.unavailable) == (7, 4, 1, 2)
    assert (verdict.completed, verdict.rejected, verdict.cancelled, verdict.dead_lettered) == (2, 1, 1, 1)
    assert verdict.recovered == 1
    assert (verdict.alerts_due, verdict.alerts_announced) == (1, 1)
    assert verdict.endings["poison"] == {"dead-lettered": 1}


def test_a_backend_that_loses_an_order_is_caught() -> None:
    """Answered 202, and nowhere to be found."""
    verdict = judged([attempt("a"), attempt("b")], evidence(ended("a")))

    assert not verdict.valid
    assert classes(verdict) == (1, 0, 0)
    assert order_id_for("b") in verdict.findings[0].text


def test_a_backend_that_loses_an_outcome_is_caught() -> None:
    """The row is final, but there was no event."""
    verdict = judged([attempt("a")], evidence(ended("a"), outcomes=()))

    assert classes(verdict) == (1, 0, 0)
    assert verdict.findings[0].type == "OutcomeNotPublished"


def test_a_backend_that_loses_an_alert_is_caught() -> None:
    """A large order without its alert."""
    verdict = judged([attempt("a", "large", total_cents=LARGE_ORDER_CENTS)], evidence(ended("a")))

    assert classes(verdict) == (1, 0, 0)
    assert verdict.findings[0].type == "MissingAlert"


def test_a_backend_that_makes_an_order_twice_is_caught() -> None:
    """Two different outcomes of one order; a repeated event does not count."""
    row, outcome = ended("a")
    again, other = outcome, replace(outcome, event_id="another")

    twice = judged([attempt("a")], Evidence(row, (outcome, other)))
    repeated = judged([attempt("a")], Evidence(row, (outcome, again)))

    assert classes(twice) == (0, 1, 0)
    assert repeated.valid


def test_an_order_in_two_places_is_a_duplicate() -> None:
    """Completed, and in the dead-letter queue as well."""
    verdict = judged([attempt("a")], evidence(ended("a"), dead_letters=(letter("a"),)))

    assert classes(verdict) == (0, 1, 0)


def test_one_key_that_gives_two_orders_is_a_duplicate() -> None:
    """Sent twice, answered with two ids."""
    split = attempt("a", "duplicate", order_ids=(order_id_for("a"), order_id_for("b")))

    verdict = judged([split], evidence(ended("a")))

    assert verdict.duplicated == 1
    assert not verdict.valid


@pytest.mark.parametrize(
    ("attempts", "found"),
    [
        ([], evidence(ended("stranger"))),
        ([], evidence(dead_letters=(letter("stranger"),))),
        ([], evidence(dead_letters=(letter(None, None),))),
        ([attempt("a")], evidence(ended("a", "rejected"))),
        ([refused("a")], evidence(ended("a"))),
        ([attempt("a", "invalid")], evidence(ended("a"))),
        ([attempt("a")], evidence(ended("a"), announcements=(Announcement("x", "large_order", order_id_for("a")),))),
    ],
    ids=["a row", "a dead letter", "garbage", "a wrong ending", "refused, and made", "not refused", "an alert"],
)
def test_unknown_orders_and_wrong_endings_are_unexpected(attempts: list[Attempt], found: Evidence) -> None:
    """And alerts that were not due."""
    verdict = judged(attempts, found)

    assert verdict.unexpected >= 1
    assert verdict.duplicated == 0
    assert not verdict.valid


def test_an_order_that_landed_without_an_answer_is_recovered() -> None:
    """Its key determines its order id. One that did not land is not lost."""
    verdict = judged(
        [unanswered("a"), unanswered("b", "poison"), unanswered("c")], evidence(ended("a"), dead_letters=(letter("b"),))
    )

    assert verdict.valid
    assert (verdict.recovered, verdict.completed, verdict.dead_lettered) == (2, 1, 1)


def test_an_order_without_an_answer_may_have_an_alert_or_not() -> None:
    """The bus may have accepted it and SNS not; the same for a cancellation."""
    large = Announcement("x", "large_order", order_id_for("a"))
    refused = Announcement("y", "cancellation_refused", order_id_for("b"))
    cancelled = attempt("b", "cancel", cancellation="unavailable")

    announced = judged([unanswered("a", "large"), cancelled], evidence(ended("b"), announcements=(large, refused)))
    silent = judged([unanswered("a", "large"), cancelled], evidence(ended("b")))

    assert announced.valid
    assert silent.valid


def test_an_order_may_rest_in_a_dead_letter_queue() -> None:
    """That is late, not lost: it can be redriven."""
    verdict = judged([attempt("a")], evidence(dead_letters=(letter("a"),)))

    assert verdict.valid
    assert verdict.dead_lettered == 1


def test_a_drain_that_never_ends_is_not_valid() -> None:
    """Even without a finding."""
    assert not judged([attempt("a")], evidence(ended("a")), end="given up").valid


def test_an_order_that_may_still_be_in_a_queue_is_not_lost() -> None:
    """The drain was given up: a missing order is unsettled, but a duplicate is a duplicate."""
    twice = Outcome("another", order_id_for("a"), "completed")
    found = evidence(ended("a"))

    verdict = judged([attempt("a"), attempt("b")], replace(found, outcomes=(*found.outcomes, twice)), end="given up")

    assert not verdict.valid
    assert classes(verdict) == (0, 1, 0)
    assert verdict.unsettled == 1
    assert verdict.endings["normal"] == {"completed": 1, "unsettled": 1}


def test_with_the_backend_gone_only_received_events_count() -> None:
    """An order that was answered in the last moment may have ended before the rig knew of it."""
    stranger = ended("sent, and its answer not read")

    verdict = judged([attempt("a"), attempt("b"), unanswered("c")], evidence(ended("a"), stranger), end="backend gone")

    assert not verdict.valid
    assert classes(verdict) == (0, 0, 0)
    assert (verdict.completed, verdict.unsettled, verdict.unavailable) == (1, 1, 1)


def test_only_the_first_hundred_findings_are_kept() -> None:
    """The counts are of all."""
    verdict = judged([attempt(str(number)) for number in range(150)], Evidence())

    assert verdict.lost == 150
    assert len(verdict.findings) == 100

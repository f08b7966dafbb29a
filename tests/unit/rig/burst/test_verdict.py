"""The verdict: every class of finding has a case that produces it."""

from dataclasses import replace

import pytest
from orderboard.burst.judge.answers import judge_answers
from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.verdict import End, judge
from orderboard.burst.load.mix import burst_endings
from orderboard.burst.model import BurstVerdict
from orderboard.ledger.ledger import Announcement, Evidence, Outcome
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import ENDINGS, Ending, KindName
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


ROW, OUTCOME = ended("a")
LARGE = attempt("a", "large", total_cents=LARGE_ORDER_CENTS)
TWO_IDS = attempt("a", "duplicate", order_ids=(order_id_for("a"), order_id_for("b")))
ALERT = Announcement("x", "large_order", order_id_for("a"))
REFUSED_CANCELLATION = Announcement("y", "cancellation_refused", order_id_for("a"))


@pytest.mark.parametrize(
    ("attempts", "found", "findings"),
    [
        pytest.param([attempt("a"), attempt("b")], evidence(ended("a")), {"lost": "Lost"}, id="an order is lost"),
        pytest.param(
            [attempt("a")], Evidence(ROW, ()), {"lost": "OutcomeNotPublished"}, id="a final row without its event"
        ),
        pytest.param([LARGE], evidence(ended("a")), {"lost": "MissingAlert"}, id="a large order without its alert"),
        pytest.param(
            [attempt("a")],
            Evidence(ROW, (OUTCOME, replace(OUTCOME, event_id="another"))),
            {"duplicated": "Doubled"},
            id="two different outcomes",
        ),
        pytest.param([attempt("a")], Evidence(ROW, (OUTCOME, OUTCOME)), {}, id="the same outcome twice is one"),
        pytest.param(
            [attempt("a")],
            evidence(ended("a"), dead_letters=(letter("a"),)),
            {},
            id="completed, and a dead-lettered duplicate",
        ),
        pytest.param([TWO_IDS], evidence(ended("a")), {"duplicated": "SplitDuplicate"}, id="two orders for one key"),
        pytest.param([], evidence(ended("a")), {"unexpected": "OrderUnexpected"}, id="an unknown row"),
        pytest.param(
            [],
            evidence(dead_letters=(letter("a"),)),
            {"unexpected": "DeadLetterUnexpected"},
            id="an unknown dead letter",
        ),
        pytest.param(
            [],
            evidence(dead_letters=(letter(None, None),)),
            {"unexpected": "DeadLetterUnexpected"},
            id="a dead letter that is not an event",
        ),
        pytest.param(
            [attempt("a")],
            evidence(ended("a", "rejected"), announcements=(replace(ALERT, kind="order_rejected"),)),
            {"unexpected": "WrongEnding"},
            id="a wrong ending",
        ),
        pytest.param([refused("a")], evidence(ended("a")), {"unexpected": "OrderUnexpected"}, id="refused, and made"),
        pytest.param(
            [replace(unanswered("a"), answer="unreached")],
            evidence(ended("a")),
            {"unexpected": "OrderUnexpected"},
            id="no connection was made, and the order exists",
        ),
        pytest.param(
            [unanswered("a")],
            Evidence(ROW, (OUTCOME, replace(OUTCOME, event_id="another"))),
            {"duplicated": "Doubled"},
            id="without an answer, and made twice",
        ),
        pytest.param(
            [unanswered("a", "large")],
            evidence(dead_letters=(replace(letter("a"), is_fact=True),)),
            {},
            id="without an answer, its event may be a dead letter",
        ),
        pytest.param([attempt("a", "invalid")], evidence(ended("a")), {"unexpected": "NotRefused"}, id="not refused"),
        pytest.param(
            [attempt("a")],
            evidence(ended("a"), announcements=(ALERT,)),
            {"unexpected": "UnexpectedAlert"},
            id="an alert that was not due",
        ),
        pytest.param([attempt("a")], evidence(dead_letters=(letter("a"),)), {}, id="a dead letter is late, not lost"),
        pytest.param(
            [unanswered("a", "large"), attempt("b", "cancel", cancellation="unavailable")],
            evidence(ended("b"), announcements=(ALERT, Announcement("y", "cancellation_refused", order_id_for("b")))),
            {},
            id="without an answer, alerts may come",
        ),
        pytest.param(
            [unanswered("a", "large"), attempt("b", "cancel", cancellation="unavailable")],
            evidence(ended("b")),
            {},
            id="without an answer, alerts may be missing",
        ),
        pytest.param(
            [replace(unanswered("a", "cancel"), cancellation="unavailable")],
            evidence(ended("a"), announcements=(REFUSED_CANCELLATION,)),
            {},
            id="its generator ended before it reported an order and its cancellation",
        ),
        pytest.param(
            [unanswered("a")],
            evidence(ended("a"), announcements=(REFUSED_CANCELLATION,)),
            {"unexpected": "UnexpectedAlert"},
            id="without an answer, and nobody cancelled it",
        ),
    ],
)
def test_every_class_of_finding(attempts: list[Attempt], found: Evidence, findings: dict[str, str]) -> None:
    """A finding of its class and type, and only then the verdict is not valid."""
    verdict = judged(attempts, found)

    assert findings.items() <= {each.verdict: each.type for each in verdict.findings}.items()
    assert {each.verdict for each in verdict.findings} == findings.keys()
    assert verdict.valid == (not findings)
    assert (verdict.lost, verdict.duplicated) == ("lost" in findings, "duplicated" in findings)


def test_a_generator_that_ended_early_leaves_no_valid_burst() -> None:
    """All of its orders may have ended well, but they are not the load that was asked for."""
    by_ledger = judge(
        [attempt("a")],
        evidence(ended("a")),
        large_order_cents=LARGE_ORDER_CENTS,
        end="drained",
        generators_ended=2,
    )
    by_answers = judge_answers([attempt("a")], generators_ended=1)

    assert not by_ledger.verdict.good
    assert not by_answers.verdict.good
    assert by_ledger.verdict.headline == "Not valid: 2 of the generators ended early"
    assert by_answers.verdict.headline == "Not answered as they must be: 1 of the generators ended early"
    assert judge_answers([attempt("a")]).verdict.good


def test_a_finding_names_its_order() -> None:
    """By its id."""
    verdict = judged([attempt("a"), attempt("b")], evidence(ended("a")))

    assert classes(verdict) == (1, 0, 0)
    assert order_id_for("b") in verdict.findings[0].text


def test_an_order_that_landed_without_an_answer_is_recovered() -> None:
    """Its key determines its order id. One that did not land is not lost."""
    verdict = judged(
        [unanswered("a"), unanswered("b", "poison"), unanswered("c")], evidence(ended("a"), dead_letters=(letter("b"),))
    )

    assert verdict.valid
    assert (verdict.recovered, verdict.completed, verdict.dead_lettered) == (2, 1, 1)


def test_dead_lettered_duplicates_are_a_class_apart() -> None:
    """Such an order is completed, once; the sums stay as they are."""
    verdict = judged([attempt("a"), attempt("b")], evidence(ended("a"), dead_letters=(letter("a"), letter("b"))))

    assert verdict.valid
    assert (verdict.completed, verdict.dead_lettered, verdict.dead_lettered_duplicates) == (1, 1, 1)


def test_unreached_orders_are_unavailable_ones_that_must_not_exist() -> None:
    """No connection was made for them. Without an answer on a connection, an order may exist."""
    verdict = judged([unanswered("a"), replace(unanswered("b"), answer="unreached")], evidence(ended("a")))

    assert verdict.valid
    assert (verdict.unavailable, verdict.unreached, verdict.recovered) == (2, 1, 1)


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


def test_nothing_that_was_sent_is_not_valid() -> None:
    """A burst that was stopped before its first order has proven nothing."""
    verdict = judged([], evidence())

    assert not verdict.valid
    assert verdict.headline == "Nothing was sent, so nothing is proven"


def test_a_burst_without_any_answer_is_not_valid() -> None:
    """With order-api down for all of it, as little is proven as if nothing was sent; but a refusal is an answer."""
    verdict = judged([unanswered("a"), replace(unanswered("b"), answer="unreached")], evidence())

    assert not verdict.valid
    assert verdict.headline == "Not valid: no order was answered, so nothing is proven"
    assert judged([unanswered("a"), refused("b")], evidence()).valid


def test_a_valid_verdict_says_how_many_orders_were_unavailable() -> None:
    """As when order-api ended by itself: nothing was lost, but a reader must see that not all were taken."""
    verdict = judged([attempt("a"), unanswered("b")], evidence(ended("a")))

    assert verdict.valid
    assert verdict.headline == "Valid: nothing lost, duplicated or unexpected in 2 orders, 1 of them unavailable"


def test_only_what_is_missing_or_unexpected_may_change() -> None:
    """A refusal is final, so no second look is needed; an order without an outcome may still end."""
    own = Attempt("own", "a", "refused", frozenset(ENDINGS))

    assert not judge([own], evidence(), large_order_cents=LARGE_ORDER_CENTS, end="drained").may_change
    assert judge([attempt("b")], evidence(), large_order_cents=LARGE_ORDER_CENTS, end="drained").may_change
    assert not judge([attempt("b")], evidence(), large_order_cents=LARGE_ORDER_CENTS, end="given up").may_change

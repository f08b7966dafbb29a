"""The rig's own ledger while a burst runs: seconds, percentiles, and what is under way."""

import random

import pytest
from orderboard.burst.judge.verdict import Answer
from orderboard.burst.load.generator import Reply
from orderboard.burst.measure.recorder import Book, latency, percentile
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.mix import Intent
from orderboard.burst.timeline import Timeline
from orderboard.orders.queues import Depth


def book(*kinds: str, every_s: float = 0.5) -> Book:
    """Orders of these kinds, one each half second."""
    intents = [Intent(kind, f"key-{number}", {}) for number, kind in enumerate(kinds)]
    return Book(intents, [number * every_s for number in range(len(kinds))])


def reply(number: int, answered_s: float, *, answer: Answer = "acknowledged", sent_s: float | None = None) -> Reply:
    """The generator's word on one of them."""
    intended_s = number * 0.5
    ids = (f"order-{number}",) if answer == "acknowledged" else ()
    sent_s = intended_s if sent_s is None else sent_s
    return Reply(number, intended_s, sent_s, answered_s, False, answer, ids, 500, None, "")


def test_latency_counts_from_the_intended_time() -> None:
    """An order that could only be sent a second late has waited that second."""
    kept = book("normal")

    kept.replied(reply(0, answered_s=1.2, sent_s=1.0))
    kept.heard("order-0", 2.5)

    accept, end_to_end = kept.accept(), kept.end_to_end()
    assert accept is not None
    assert end_to_end is not None
    assert (accept.max_ms, end_to_end.max_ms) == (1200, 2500)
    assert kept.lags_ms() == [1000]


def test_an_outcome_may_be_heard_before_its_acceptance_and_again() -> None:
    """Threads and processes race; the sums stay right."""
    kept = book("normal", "normal")

    kept.heard("order-0", 0.1)
    kept.heard("order-0", 0.2)
    assert (kept.finished, kept.unfinished) == (1, 0)
    kept.replied(reply(0, 0.3))
    kept.replied(reply(1, 0.6))
    kept.heard("order-0", 0.7)

    assert (kept.finished, kept.unfinished) == (1, 1)
    assert kept.end_to_end() == latency([100.0])


def test_the_oldest_order_under_way_is_known() -> None:
    """By acceptance; a poisoned order is not waited for, and neither is a refused one."""
    kept = book("poison", "normal", "normal", "normal")
    kept.replied(reply(0, 0.1))
    kept.replied(reply(1, 0.8, answer="refused"))
    kept.replied(reply(2, 1.1))
    kept.replied(reply(3, 1.6))

    assert kept.oldest_age_s(2.1) == pytest.approx(1.0)
    kept.heard("order-2", 2.2)
    assert kept.oldest_age_s(2.6) == pytest.approx(1.0)
    kept.heard("order-3", 2.7)
    assert kept.oldest_age_s(3.0) is None


def test_what_was_sent_is_counted_before_it_is_answered() -> None:
    """Over the last five whole seconds, or as many as there were."""
    kept = book("normal")

    for second, sent in enumerate((10, 30, 60, 100, 150, 210, 280)):
        kept.sent(sent, second + 0.9)

    assert kept.sent_per_s(0.5) == 0
    assert kept.sent_per_s(2.1) == 15
    assert kept.sent_per_s(7.5) == (280 - 30) / 5


def test_the_timeline_has_every_second() -> None:
    """Also those in which nothing happened; queues keep what was last seen."""
    kept = book("normal", "normal", "normal")
    timeline = Timeline(kept)
    kept.replied(reply(0, 0.01))
    kept.replied(reply(1, 0.9, answer="unavailable"))
    kept.replied(reply(2, 1.25))
    timeline.sample(0.9, Sample(0.0, {"work": Depth(3, 2, 1), "express": Depth(0, 0, 0)}), workers=1)
    kept.heard("order-0", 3.5)

    moments = timeline.moments()

    assert [moment.at_s for moment in moments] == [0, 1, 2, 3]
    assert [moment.phase for moment in moments] == ["load", "load", "drain", "drain"]
    assert [moment.intended for moment in moments] == [2, 1, 0, 0]
    assert [moment.accepted for moment in moments] == [1, 1, 0, 0]
    assert [moment.unavailable for moment in moments] == [1, 0, 0, 0]
    assert [moment.finished for moment in moments] == [0, 0, 0, 1]
    assert (moments[1].accept_p99_ms, moments[3].end_to_end_p50_ms) == (250, 3500)
    assert (moments[2].work_visible, moments[2].work_in_flight, moments[2].alerts_visible) == (4, 2, None)
    assert timeline.peak_backlog == 6


def test_percentiles_are_exact() -> None:
    """The nearest rank, of every single value."""
    values = [float(value) for value in range(1, 1001)]
    random.Random(1).shuffle(values)

    found = latency(values)

    assert found is not None
    assert (found.p50_ms, found.p90_ms, found.p99_ms, found.p999_ms, found.max_ms) == (500, 900, 990, 999, 1000)
    assert found.mean_ms == 500.5
    assert latency([]) is None
    assert percentile([7.0], 0) == percentile([7.0], 100) == 7.0


def test_the_curve_rises_to_the_maximum() -> None:
    """Percentiles and values never fall, it starts at the smallest value and ends at the largest."""
    found = latency(random.Random(2).expovariate(0.1) for _ in range(5_000))

    assert found is not None
    points = [(point.percentile, point.ms) for point in found.curve]
    assert points == sorted(points)
    assert points[-1] == (100, found.max_ms)
    assert any(99.9 <= percent < 100 for percent, _ in points)

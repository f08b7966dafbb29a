"""The recorder and the timeline: seconds, percentiles, and unfinished orders."""

import random

import pytest
from orderboard.burst.load.generator import Answer, Reply
from orderboard.burst.load.mix import PlannedOrder, burst_endings
from orderboard.burst.load.stream import Client, Closed, Open, Stream
from orderboard.burst.measure.generators import GeneratorRun
from orderboard.burst.measure.percentiles import latency, percentile
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measure.timeline import Timeline
from orderboard.orders.kinds import KindName
from orderboard.orders.queues import Depth
from unit.rig.burst.summaries import Planned


def recorder(*kinds: KindName) -> Recorder:
    """Orders of these kinds, one each half second."""
    orders = [PlannedOrder(kind, f"key-{number}", {}, burst_endings(kind)) for number, kind in enumerate(kinds)]
    times_s = [number * 0.5 for number in range(len(kinds))]
    return Recorder([Stream(Planned(tuple(orders)), Open(times_s), 1, "run")])


def reply(number: int, answered_s: float, *, answer: Answer = "acknowledged", sent_s: float | None = None) -> Reply:
    """The generator's report on one of them."""
    intended_s = number * 0.5
    ids = (f"order-{number}",) if answer == "acknowledged" else ()
    sent_s = intended_s if sent_s is None else sent_s
    return Reply(0, number, intended_s, sent_s, answered_s, False, answer, ids, 500, None, ())


def test_latency_counts_from_the_intended_time() -> None:
    """An order that could only be sent a second late has waited that second."""
    kept = recorder("normal")

    kept.replied(reply(0, answered_s=1.2, sent_s=1.0))
    kept.outcome("order-0", 2.5)

    assert (kept.accept(), kept.end_to_end()) == (latency([1200]), latency([2500]))
    assert kept.generator_stats([GeneratorRun((1,))], connections=8, duration_s=1).lag_max_ms == 1000


def test_an_outcome_may_come_before_its_acceptance_and_again() -> None:
    """Threads and processes race; the sums stay right."""
    kept = recorder("normal", "normal")

    kept.outcome("order-0", 0.1)
    kept.outcome("order-0", 0.2)
    assert (kept.finished, kept.unfinished) == (1, 0)
    kept.replied(reply(0, 0.3))
    kept.replied(reply(1, 0.6))
    kept.outcome("order-0", 0.7)

    assert (kept.finished, kept.unfinished) == (1, 1)
    assert kept.end_to_end() == latency([100.0])


def test_the_oldest_unfinished_order_is_known() -> None:
    """By acceptance; a poisoned order does not count, and neither does a refused one."""
    kept = recorder("poison", "normal", "normal", "normal")
    kept.replied(reply(0, 0.1))
    kept.replied(reply(1, 0.8, answer="refused"))
    kept.replied(reply(2, 1.1))
    kept.replied(reply(3, 1.6))

    assert kept.oldest_age_s(2.1) == pytest.approx(1.0)
    kept.outcome("order-2", 2.2)
    assert kept.oldest_age_s(2.6) == pytest.approx(1.0)
    kept.outcome("order-3", 2.7)
    assert kept.oldest_age_s(3.0) is None


def test_an_order_in_flight_at_the_end_counts_as_unavailable() -> None:
    """It was sent, so it may have been placed: what was sent is what was attempted."""
    kept = recorder("normal", "normal", "normal")
    kept.replied(reply(1, 0.8))

    attempts = kept.attempts([(2,)])

    assert [(each.idempotency_key, each.answer) for each in attempts] == [
        ("key-0", "unavailable"),
        ("key-1", "acknowledged"),
    ]
    assert [each.order_ids for each in attempts] == [(), ("order-1",)]


def test_an_order_without_a_reply_may_have_been_cancelled() -> None:
    """If that was planned: its generator may have asked for it, and ended before it reported the answers."""
    planned = [
        PlannedOrder("cancel", "a", {}, cancellation="at once"),
        PlannedOrder("cancel_late", "b", {}, cancellation="when final"),
        PlannedOrder("normal", "c", {}),
    ]
    kept = Recorder([Stream(Planned(tuple(planned)), Open([0, 0, 0]), 1, "run")])

    assert [each.cancellation for each in kept.attempts([(3,)])] == ["unavailable", "unavailable", None]


def test_sent_orders_count_before_they_are_answered() -> None:
    """Over the last five whole seconds, or as many as there were."""
    kept = recorder("normal")

    for second, sent in enumerate((10, 30, 60, 100, 150, 210, 280)):
        kept.sent(sent, second + 0.9)

    assert [kept.sent_per_s(now_s) for now_s in (0.5, 2.1, 7.5)] == [0, 15, (280 - 30) / 5]


def test_the_timeline_of_a_stopped_load_ends_with_the_burst() -> None:
    """Not with the last second in which an order would have been sent."""
    kinds: list[KindName] = ["normal"] * 20
    kept = recorder(*kinds)
    timeline = Timeline(kept)
    kept.replied(reply(0, 0.2))
    timeline.observe(1.4, Sample(0.0), workers=1)

    assert [row.at_s for row in timeline.rows()] == [0, 1]


def test_the_timeline_has_every_second() -> None:
    """Also those in which nothing happened; queues keep their last value."""
    kept = recorder("normal", "normal", "normal")
    timeline = Timeline(kept)
    kept.replied(reply(0, 0.01))
    kept.replied(reply(1, 0.9, answer="unavailable"))
    kept.replied(reply(2, 1.25))
    timeline.observe(0.9, Sample(0.0, {"work": Depth(3, 2, 1), "express": Depth(0, 0, 0)}), workers=1)
    kept.outcome("order-0", 3.5)

    rows = timeline.rows()

    assert [row.at_s for row in rows] == [0, 1, 2, 3]
    assert [row.phase for row in rows] == ["load", "load", "drain", "drain"]
    assert [row.intended for row in rows] == [2, 1, 0, 0]
    assert [row.accepted for row in rows] == [1, 1, 0, 0]
    assert [row.unavailable for row in rows] == [1, 0, 0, 0]
    assert [row.finished for row in rows] == [0, 0, 0, 1]
    assert (rows[1].accept_p99_ms, rows[3].end_to_end_p50_ms) == (250, 3500)
    assert (rows[2].work_visible, rows[2].work_in_flight, rows[2].alerts_visible) == (4, 2, None)
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
    """Percentiles and values never fall, and the last point is the largest value."""
    found = latency(random.Random(2).expovariate(0.1) for _ in range(5_000))

    assert found is not None
    points = [(point.percentile, point.ms) for point in found.curve]
    assert points == sorted(points)
    assert points[-1] == (100, found.max_ms)
    assert any(99.9 <= percent < 100 for percent, _ in points)


def test_clients_are_never_late_and_intend_what_they_send() -> None:
    """Their number of orders is open, and a timeline counts each when it was sent."""
    kept = Recorder([Stream(Planned(), Closed([Client(0, 5)] * 2), 1, "run")])
    kept.replied(reply(4, 2.3, sent_s=2.2))

    assert kept.planned is None
    assert (kept.seconds[2].intended, kept.seconds[2].lag_ms) == (1, None)
    stats = kept.generator_stats([GeneratorRun((5,))], connections=8, duration_s=5)
    assert (stats.orders, stats.not_sent, stats.late, stats.lag_max_ms) == (5, 0, 0, 0)
    assert (stats.intended_rate, stats.achieved_rate) == (1, 1)


def test_a_timeline_has_the_number_of_clients() -> None:
    """In the middle of each second of the load; an open load has none."""
    clients = Recorder([Stream(Planned(), Closed([Client(0, 9), Client(1.2, 9), Client(1.8, 2.4)]), 1, "run")])
    clients.replied(reply(0, 2.9, sent_s=0.1))
    clients.outcome("order-0", 4.0)

    assert [row.clients for row in Timeline(clients).rows()] == [1, 2, 2, None, None]
    assert Recorder([Stream(Planned(), Open([1.0]), 1, "run")]).clients_at(1) is None


def test_the_rate_of_a_load_that_was_stopped_is_until_its_last_order() -> None:
    """Of clients, and of intended times; the rest of the planned time does not count."""
    clients = Recorder([Stream(Planned(), Closed([Client(0, 60)], orders=90), 1, "run")])
    timed = Recorder([Stream(Planned(), Open([number / 2 for number in range(120)]), 1, "run")])
    for kept in (clients, timed):
        kept.replied(reply(3, 2.3, sent_s=2.0))

    stats = [
        kept.generator_stats([GeneratorRun((4,))], connections=8, duration_s=60, stopped=True)
        for kept in (clients, timed)
    ]

    assert [each.achieved_rate for each in stats] == [2, 2]
    assert [each.intended_rate for each in stats] == [2, 2]
    assert [each.not_sent for each in stats] == [86, 116]
    whole = timed.generator_stats([GeneratorRun((120,))], connections=8, duration_s=60)
    assert whole.achieved_rate == 2


def test_each_order_has_a_record() -> None:
    """Of what was answered, with its latencies; an unfinished one has none from end to end."""
    kept = recorder("normal", "express", "invalid")
    kept.replied(reply(1, 0.8))
    kept.replied(reply(0, 0.2))
    kept.replied(reply(2, 1.1, answer="refused"))
    kept.outcome("order-0", 1.5)

    records = [*kept.records()]

    assert [(each.key, each.kind, each.answer) for each in records] == [
        ("key-0", "normal", "acknowledged"),
        ("key-1", "express", "acknowledged"),
        ("key-2", "invalid", "refused"),
    ]
    assert [each.accept_ms for each in records] == [pytest.approx(200), pytest.approx(300), None]
    assert [each.end_to_end_ms for each in records] == [1500, None, None]

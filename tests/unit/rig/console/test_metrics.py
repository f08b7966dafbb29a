"""Metrics and rates. What is unknown is None."""

import pytest
from orderboard.console.metrics import CumulativeCounters, Rates, parse, total

WORKER = """\
# HELP orderboard_worker_messages_total Messages by outcome.
orderboard_worker_messages_total{queue="work",outcome="completed"} %d
orderboard_worker_messages_total{queue="work",outcome="retried"} 7.0
orderboard_worker_held_messages 3.0
"""
HELD = {"work": 0, "express": 0, "alerts": 0, "inbox": 0, "undelivered": 0}


def test_samples_are_summed_by_name_and_labels() -> None:
    """A metric that is not there counts as 0."""
    samples = parse(WORKER % 5)

    assert total(samples, "orderboard_worker_messages_total", queue="work") == 12
    assert total(samples, "orderboard_worker_held_messages") == 3
    assert total(samples, "nonesuch") == 0


def test_a_counter_outlives_its_process() -> None:
    """A counter that restarts at 0 is added to its earlier value; without a reading it is unknown."""
    counters = CumulativeCounters()

    assert [counters.total("x", value) for value in (10, 30, None, 5, 6)] == [10, 30, None, 35, 36]


def test_a_rate_is_a_mean_over_some_seconds() -> None:
    """One reading gives no rate; later ones give the mean of the last three seconds."""
    rates = Rates()

    for now_s, inbox in ((0, 0), (1, 90), (2, 90), (3, 90), (4, 93)):
        rates.measure(HELD | {"inbox": inbox}, {}, None, None, now_s=now_s)
        if now_s == 0:
            assert rates.per_s == {}

    assert rates.per_s["announced"] == 1


def test_rates_outlive_a_worker() -> None:
    """The work of an ended worker still counts when another continues; retries do not count as done."""
    rates = Rates()

    rates.measure(HELD, {1: parse(WORKER % 10)}, None, None, now_s=0)
    rates.measure(HELD | {"work": 20}, {2: parse(WORKER % 30)}, None, None, now_s=10)

    assert (rates.per_s["work_done"], rates.per_s["work_in"]) == (3, 5)
    assert (rates.per_s["accepted"], rates.per_s["recorded"], rates.api_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(({"work": 300}, 1000), ({"work": 0}, 1000), {"work_in": None}, id="a purge hides arrivals"),
        pytest.param(({"work": 300}, 0), ({"work": 0}, 260), {"work_in": 0}, id="a drain is not a purge"),
        pytest.param(({"inbox": 200}, 0), ({"inbox": 199}, 0), {"announced": 0, "recorded": 0}, id="never negative"),
    ],
)
def test_removed_messages_do_not_count_as_arrivals(
    before: tuple[dict[str, int], int], after: tuple[dict[str, int], int], expected: dict[str, float | None]
) -> None:
    """A purge, or a worker killed before its last work was read, gives a rate of 0 or none, never a high one.

    A queue and its worker are read one after the other, so the work done in between must not look like a purge.
    """
    rates = Rates()

    for now_s, (held, completed) in ((0, before), (3, after)):
        rates.measure(HELD | held, {1: parse(WORKER % completed)}, None, 1000, now_s=now_s)

    assert {name: rates.per_s[name] for name in expected} == expected

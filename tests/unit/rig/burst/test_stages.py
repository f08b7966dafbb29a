"""Stages of a load: the times of their orders."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard.burst.load.stages import ClientStage, Stage, parse_stage, stage_clients, stage_times
from orderboard.burst.load.stream import Client


def test_a_flat_stage_is_an_even_rate() -> None:
    """Each order in the middle of its place, as with --rate."""
    assert stage_times([Stage(1, 4, 4)]) == pytest.approx([0.125, 0.375, 0.625, 0.875])


def test_a_ramp_is_a_straight_line_of_the_rate() -> None:
    """From 0 to 400 a second in 10 s are 2,000 orders; after t seconds, 20 t^2 of them were due."""
    times_s = stage_times([Stage(10, 0, 400)])

    assert len(times_s) == 2000
    assert [20 * time_s**2 for time_s in times_s[::500]] == pytest.approx([0.5, 500.5, 1000.5, 1500.5])


def test_stages_follow_each_other_with_a_pause_between() -> None:
    """A rate of 0 sends nothing; a ramp up to the peak mirrors the one down."""
    times_s = stage_times([Stage(2, 0, 10), Stage(5, 0, 0), Stage(2, 10, 0)])

    assert len(times_s) == 20
    assert (times_s[9] < 2, times_s[10] > 7) == (True, True)
    assert times_s[:10] == pytest.approx([9 - time_s for time_s in reversed(times_s[10:])])


@given(st.lists(st.tuples(st.floats(0.1, 60), st.floats(0, 200), st.floats(0, 200)), min_size=1, max_size=5))
def test_times_ascend_within_the_stages(values: list[tuple[float, float, float]]) -> None:
    """At random and even; as many as the area below the line."""
    stages = [Stage(*each) for each in values]
    expected = round(math.fsum(stage.orders for stage in stages))
    ends_s = sum(stage.lasts_s for stage in stages)

    for times_s in (stage_times(stages), stage_times(stages, poisson_seed=3)):
        assert len(times_s) == expected
        assert times_s == sorted(times_s)
        assert all(0 <= time_s <= ends_s + 1e-9 for time_s in times_s)


def test_a_stage_can_be_written_again() -> None:
    """In its own form."""
    for text in ("30s:100", "60s:100..400", "0.5s:0..2.5"):
        assert str(parse_stage(text)) == text
    assert str(parse_stage("1m:1..1")) == "60s:1"


def test_clients_begin_and_end_as_a_ramp_passes_them() -> None:
    """In the middle of the place of each; one that comes back after a pause is another client."""
    stages = [ClientStage(4, 0, 2), ClientStage(10, 2, 2), ClientStage(4, 2, 0), ClientStage(1, 1, 1)]

    assert stage_clients(stages) == (Client(1, 17), Client(3, 15), Client(18, 19))


@given(st.lists(st.tuples(st.floats(0.1, 60), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=4))
def test_as_many_clients_work_as_the_stages_say(values: list[tuple[float, int, int]]) -> None:
    """In each stage, at a quarter, the middle and the end: the line's height, rounded."""
    stages = [ClientStage(*each) for each in values]
    clients, start_s = stage_clients(stages), 0.0

    for stage in stages:
        for share in (0.25, 0.5, 0.999):
            at_s = start_s + share * stage.lasts_s
            height = stage.from_clients + share * (stage.to_clients - stage.from_clients)
            working = sum(each.from_s <= at_s < each.until_s for each in clients)
            assert abs(working - height) <= 0.5 + 1e-6
        start_s += stage.lasts_s


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30s", "expected TIME:RATE"),
        ("30:100", "expected a duration with a unit"),
        ("0s:100", "expected a time above 0"),
        ("30s:", "expected a number"),
        ("30s:-1", "expected a rate from 0"),
        ("30s:1..nan", "expected a number, not nan"),
        ("30s:1..2..3", "expected a number"),
        ("30s:2000000", "expected a rate from 0 to 1,000,000"),
        ("30s:1c..5", "expected clients or rates at both ends, such as 10c..50c"),
        ("30s:1.5c", "expected a whole number"),
        ("30s:10001c", "expected at most 10,000 clients"),
    ],
)
def test_a_stage_that_is_not_valid_is_explained(text: str, said: str) -> None:
    """With what is expected."""
    with pytest.raises(ValueError, match=said):
        parse_stage(text)

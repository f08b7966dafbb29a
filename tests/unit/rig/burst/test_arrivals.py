"""The intended send times of every profile: how many, where, and by which statistics."""

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard.burst.load.arrivals import (
    PROFILES,
    Constant,
    Poisson,
    Profile,
    Ramp,
    Sawtooth,
    Spike,
    Trace,
    parse_profile,
    parse_trace,
    send_times,
)

SHAPES: tuple[Profile, ...] = (Constant(), Ramp(), Spike(), Spike(30, 0.9, 0.1), Sawtooth(1), Sawtooth(7), Poisson())


def per_second(profile: Profile, *, orders: int = 10_000, duration_s: float = 10, seed: int = 1) -> list[int]:
    """The number of orders that orders each second has."""
    counts = [0] * math.ceil(duration_s)
    for time_s in send_times(profile, orders=orders, duration_s=duration_s, seed=seed):
        counts[int(time_s)] += 1
    return counts


@pytest.mark.parametrize("profile", SHAPES, ids=repr)
@given(orders=st.integers(1, 2_000), duration_s=st.floats(0.1, 10_000), seed=st.integers())
def test_times_ascend_within_the_duration(profile: Profile, orders: int, duration_s: float, seed: int) -> None:
    """Whatever the profile: as many times as orders, from 0 to the duration."""
    times_s = send_times(profile, orders=orders, duration_s=duration_s, seed=seed)

    assert len(times_s) == orders
    assert all(0 <= time_s <= duration_s for time_s in times_s)
    assert all(earlier <= later for earlier, later in itertools.pairwise(times_s))


BASE = 10_000 / (8 + 2 * 10)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (Constant(), [1_000] * 10),
        (Ramp(), [100 + 200 * second for second in range(10)]),
        (Sawtooth(2), [200 + 400 * second for second in range(5)] * 2),
        (Spike(factor=10, at=0.3, lasts=0.2), [BASE] * 3 + [10 * BASE] * 2 + [BASE] * 5),
    ],
    ids=["constant", "a ramp to twice the mean", "two teeth", "a spike of ten times the base"],
)
def test_each_second_has_its_share(profile: Profile, expected: list[float]) -> None:
    """By the profile's shape, and no order is missing."""
    counts = per_second(profile)

    assert counts == pytest.approx(expected, abs=1)
    assert sum(counts) == 10_000


def test_constant_gaps_are_equal() -> None:
    """To the nanosecond."""
    times_s = send_times(Constant(), orders=1_000, duration_s=10, seed=1)

    assert {round(later - earlier, 9) for earlier, later in itertools.pairwise(times_s)} == {0.01}


def test_poisson_gaps_are_exponential() -> None:
    """The gaps have a mean and a deviation of 1/rate, and their distribution is within Kolmogorov's 1 % bound."""
    rate = 1_000.0
    times_s = send_times(Poisson(), orders=20_000, duration_s=20, seed=7)
    gaps_s = sorted(later - earlier for earlier, later in itertools.pairwise(times_s))

    furthest = max(abs((rank + 1) / len(gaps_s) - (1 - math.exp(-rate * gap_s))) for rank, gap_s in enumerate(gaps_s))

    assert statistics.mean(gaps_s) == pytest.approx(1 / rate, rel=0.03)
    assert statistics.stdev(gaps_s) == pytest.approx(1 / rate, rel=0.03)
    assert furthest < 1.63 / math.sqrt(len(gaps_s))


def test_poisson_counts_vary_as_much_as_their_mean() -> None:
    """The index of dispersion is 1: neither even, as constant is, nor clumped."""
    counts = per_second(Poisson(), orders=50_000, duration_s=500, seed=11)

    dispersion = statistics.variance(counts) / statistics.mean(counts)

    assert dispersion == pytest.approx(1, abs=0.2)  # its deviation for 500 seconds is 0.06


def test_the_seed_decides() -> None:
    """The same seed gives the same times, another seed others."""
    first, again, other = (send_times(Poisson(), orders=100, duration_s=1, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_trace_is_sent_as_it_was_recorded() -> None:
    """Seconds and ISO 8601 times, in any order, count from the earliest; comments and empty lines are passed over."""
    lines = ["# from the till", "", "2026-01-01T08:00:01.500+00:00", "2026-01-01T08:00:00+00:00", "1767254404"]

    trace = parse_trace(iter(lines))

    assert trace == Trace((0.0, 1.5, 4.0))
    assert send_times(trace, orders=99, duration_s=99, seed=1) == (0.0, 1.5, 4.0)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no send times"),
        (["1", "soon"], "line 2: expected seconds or an ISO 8601 time, not 'soon'"),
        (["nan"], "line 1: expected seconds or an ISO 8601 time, not 'nan'"),
    ],
)
def test_an_invalid_trace_is_rejected(lines: list[str], said: str) -> None:
    """With the line's number."""
    with pytest.raises(ValueError, match=said):
        parse_trace(iter(lines))


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_found_by_its_name(name: str) -> None:
    """Without settings it has its defaults."""
    assert parse_profile(name) == PROFILES[name]()


def test_a_profile_takes_settings() -> None:
    """Each by its name, the others stay."""
    assert parse_profile("spike:factor=20,at=0.5") == Spike(factor=20, at=0.5)
    assert parse_profile("sawtooth:teeth=8") == Sawtooth(8)

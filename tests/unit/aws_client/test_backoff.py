"""Backoff: bounds and spread of the waits."""

import random

from hypothesis import given
from hypothesis import strategies as st
from orderboard_aws_client.backoff import Backoff

POLICY = Backoff(base_s=1, max_s=60)


@given(attempt=st.integers(-5, 10**9), fraction=st.floats(0, 1, exclude_max=True))
def test_a_wait_stays_within_its_bounds(attempt: int, fraction: float) -> None:
    """Never negative, never over the ceiling, whatever the attempt; with equal jitter at least half of it."""
    policy = Backoff(base_s=1, max_s=60, random=lambda: fraction)
    ceiling_s = policy.ceiling_s(attempt)

    assert 0 <= policy.full_jitter_s(attempt) <= ceiling_s <= 60
    assert ceiling_s / 2 <= policy.equal_jitter_s(attempt) <= ceiling_s


def test_the_ceiling_doubles_until_it_is_reached() -> None:
    """1, 2, 4 ... 60, 60."""
    assert [POLICY.ceiling_s(attempt) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_waits_are_spread_over_the_whole_range() -> None:
    """Retries of many messages do not come back together."""
    policy = Backoff(base_s=1, max_s=60, random=random.Random(4).random)

    waits_s = [policy.full_jitter_s(6) for _ in range(2000)]

    assert min(waits_s) < 1
    assert max(waits_s) > 31
    assert 15 < sum(waits_s) / len(waits_s) < 17

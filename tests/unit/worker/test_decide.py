"""From a failure to a verdict, and how long a retry waits."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.events import NotAnEvent
from worker.backoff import Backoff
from worker.decide import decide
from worker.failures import PoisonError, RowMovedError, TransientError, UnavailableError
from worker.verdict import Poison, RetryAfter

POLICY = Backoff(base_s=1, max_s=60)


@given(attempt=st.integers(-5, 10**9), fraction=st.floats(0, 1, exclude_max=True))
def test_a_wait_stays_within_its_bounds(attempt: int, fraction: float) -> None:
    """Full jitter: never negative, never over the ceiling, whatever the attempt."""
    wait_s = POLICY.wait_s(attempt, fraction)

    assert 0 <= wait_s <= POLICY.ceiling_s(attempt) <= 60


def test_the_ceiling_doubles_until_it_is_reached() -> None:
    """1, 2, 4 ... 60, 60."""
    assert [POLICY.ceiling_s(attempt) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_waits_are_spread_over_the_whole_range() -> None:
    """Retries of many messages do not come back together."""
    chance = random.Random(4)

    waits_s = [POLICY.wait_s(6, chance.random()) for _ in range(2000)]

    assert min(waits_s) < 1
    assert max(waits_s) > 31
    assert 15 < sum(waits_s) / len(waits_s) < 17


@pytest.mark.parametrize("failure", [PoisonError("p"), NotAnEvent("type: unknown")])
def test_what_can_never_succeed_is_poison(failure: Exception) -> None:
    """At any receive count; the reason is kept."""
    verdict = decide(failure, 1, POLICY, 0.5)

    assert verdict == Poison(f"{type(failure).__name__}: {failure}")


@pytest.mark.parametrize("failure", [TransientError("t"), RowMovedError("r"), UnavailableError("u"), KeyError("bug")])
def test_everything_else_is_tried_again_later(failure: Exception) -> None:
    """Also what nobody foresaw: maxReceiveCount bounds it. The wait grows with the receive count."""
    waits_s = []
    for receive_count in range(1, 6):
        verdict = decide(failure, receive_count, POLICY, 0.999)
        assert isinstance(verdict, RetryAfter)
        waits_s.append(verdict.seconds)

    assert waits_s == [1, 2, 4, 8, 16]


def test_a_reason_is_short() -> None:
    """A failure that quotes a whole message does not fill the log."""
    verdict = decide(PoisonError("x" * 100_000), 1, POLICY, 0)

    assert len(verdict.reason) == 300

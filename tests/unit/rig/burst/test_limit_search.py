"""The search for the highest sustainable rate, on systems whose limit is known."""

import pytest
from orderboard.burst.judge.limit_search import LimitSearch


def searched(search: LimitSearch, limit: float, *flukes: int) -> list[float]:
    """Run it against a system that holds up to this rate, but for these runs, which go the other way."""
    rates: list[float] = []
    while (rate := search.next_rate()) is not None:
        rates.append(rate)
        search.record(rate, holds=(rate <= limit) != (len(rates) in flukes))
    return rates


@pytest.mark.parametrize("limit", [3, 47, 100, 730, 12_345])
@pytest.mark.parametrize("first", [1, 100, 50_000])
def test_the_limit_is_found_within_a_tenth(limit: float, first: float) -> None:
    """From below and from above; the rate that is reported held three times."""
    search = LimitSearch(first)

    rates = searched(search, limit)

    assert search.holds is not None
    assert search.breaks is not None
    assert search.holds <= limit < search.breaks <= search.holds * 1.1
    assert search.held[search.holds] == 3
    assert len(rates) <= 25


def test_a_rate_that_breaks_when_it_is_repeated_does_not_hold() -> None:
    """The search goes on below it."""
    search = LimitSearch(100)
    rates = searched(LimitSearch(100), 200)
    once_more = len(rates)  # the last repetition

    searched(search, 200, once_more)

    assert search.holds is not None
    assert search.holds < rates[-1]
    assert search.held[search.holds] == 3


def test_a_system_without_a_limit_ends_at_the_highest_rate() -> None:
    """And one that holds nothing ends without a rate."""
    endless, broken = LimitSearch(100), LimitSearch(100)

    assert searched(endless, 1e9)[-1] == 100_000
    assert endless.breaks is None
    assert searched(broken, 0)[-1] >= 1
    assert broken.holds is None

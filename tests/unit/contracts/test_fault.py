"""Faults: how they are written and what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.fault import Crash, Fault, Flaky, Poison, Slow, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("poison", Poison()),
        ("crash", Crash()),
        ("flaky:1", Flaky(1)),
        ("flaky:999", Flaky(999)),
        ("slow:1", Slow(1)),
        ("slow:999999", Slow(999_999)),
    ],
)
def test_faults_are_read(text: str, fault: Fault) -> None:
    """Each way to write a fault is read as what it means."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        *("", "Poison", "poison ", "poison\n", "poison:1", "crash;poison"),
        *("flaky", "flaky:", "flaky:0", "flaky:01", "flaky:1000", "flaky:-1", "flaky:1.5", "flaky:١"),
        *("slow:0", "slow:1000000", "slow:1e3"),
    ],
)
def test_anything_else_is_refused_with_the_ways_to_write_one(text: str) -> None:
    """What is no fault is refused, and the message says what would be one."""
    with pytest.raises(ValueError, match="a fault is one of poison, crash, flaky:N"):
        parse_fault(text)


@given(st.integers(1, 999), st.integers(1, 999_999))
def test_numbers_are_kept(failures: int, delay_ms: int) -> None:
    """Every number within the limits is the one that was written."""
    assert parse_fault(f"flaky:{failures}") == Flaky(failures)
    assert parse_fault(f"slow:{delay_ms}") == Slow(delay_ms)

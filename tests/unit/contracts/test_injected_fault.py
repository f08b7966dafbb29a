"""Injected faults: their text and their meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orderboard_contracts.injected_fault import (
    CrashFault,
    FlakyFault,
    InjectedFault,
    PoisonFault,
    SlowFault,
    parse_fault,
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("poison", PoisonFault()),
        ("crash", CrashFault()),
        ("flaky:1", FlakyFault(1)),
        ("flaky:999", FlakyFault(999)),
        ("slow:1", SlowFault(1)),
        ("slow:999999", SlowFault(999_999)),
    ],
)
def test_faults_are_read(text: str, fault: InjectedFault) -> None:
    """Each text is parsed as its fault."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        *("", "Poison", "poison ", "poison\n", "poison:1", "crash;poison"),
        *("flaky", "flaky:", "flaky:0", "flaky:01", "flaky:1000", "flaky:-1", "flaky:1.5", "flaky:١"),
        *("slow:0", "slow:1000000", "slow:1e3"),
    ],
)
def test_anything_else_is_rejected_with_the_allowed_texts(text: str) -> None:
    """Other text is rejected, and the message lists what is allowed."""
    with pytest.raises(ValueError, match="a fault is one of poison, crash, flaky:N"):
        parse_fault(text)


@given(st.integers(1, 999), st.integers(1, 999_999))
def test_numbers_are_kept(failures: int, delay_ms: int) -> None:
    """Every number within the limits is kept."""
    assert parse_fault(f"flaky:{failures}") == FlakyFault(failures)
    assert parse_fault(f"slow:{delay_ms}") == SlowFault(delay_ms)

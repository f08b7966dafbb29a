"""The times of `orderboard replay`."""

from datetime import UTC, datetime

import pytest
from orderboard.errors import UsageError
from orderboard.orders.replay import read_time

_NOW = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", datetime(2026, 1, 1, 7, 45, tzinfo=UTC)),
        ("0s", _NOW),
        ("2026-01-01T07:30:00Z", datetime(2026, 1, 1, 7, 30, tzinfo=UTC)),
        ("2026-01-01T08:30:00+01:00", datetime(2026, 1, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_absolute_or_how_long_ago(text: str, expected: datetime) -> None:
    """A duration counts back from now; a time has its own zone."""
    assert read_time("--from", text, _NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026-01-01T08:00:00", "2026-13-01T08:00:00Z", "-5m"),
        *("800000d", "999999999999d", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-05:00"),  # no year of UTC
    ],
)
def test_another_time_is_refused(text: str) -> None:
    """A time without a zone is ambiguous, and is refused like any other text."""
    with pytest.raises(UsageError, match="--from"):
        read_time("--from", text, _NOW)

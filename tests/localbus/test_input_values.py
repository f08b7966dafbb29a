"""Numbers, times and JSON of requests are read as AWS reads them, which is less than Python reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from localbus.input_values import decimal_number, quoted, read_json, timestamp, whole_number


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (whole_number, "-5", -5),
        (whole_number, "+05", 5),
        (decimal_number, "-1.5e3", -1500.0),
        (decimal_number, ".5", 0.5),
        (timestamp, "2026-11-29T08:00:00Z", datetime(2026, 11, 29, 8, tzinfo=UTC)),
        (timestamp, "2026-11-29", datetime(2026, 11, 29, tzinfo=UTC)),
        (read_json, '{"a": [1, null]}', {"a": [1, None]}),
    ],
)
def test_what_aws_reads(read: Callable[[str], Any], text: str, expected: Any) -> None:
    """A value in AWS's form is read."""
    assert read(text) == expected


_NO_NUMBERS = [
    "",
    " 1",
    "1 ",
    "1_000",
    "\u0663",
    "\uff11",
    "0x10",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1e400",
    "9" * 5000,
]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((whole_number, text) for text in [*_NO_NUMBERS, "1.0", "1e3"]),
        *((decimal_number, text) for text in [*_NO_NUMBERS, "e5", "."]),
        *(
            (timestamp, text)
            for text in ["", "2026-W01-1", "20261129", "2026-13-01", "2026-11-29 08:00", "2026-11-29T08"]
        ),
        *((read_json, text) for text in ["", "NaN", "[1e400]", '{"a": -Infinity}', "\ufeff{}", "1_0"]),
    ],
)
def test_what_only_python_reads(read: Callable[[str], Any], text: str) -> None:
    """A value that only Python would read is refused."""
    with pytest.raises(ValueError, match=r"."):
        read(text)


def test_quoted_values_are_json() -> None:
    """An error quotes a text, shows any other value as JSON, and cuts a long one."""
    assert quoted({"a": [None, True]}) == '{"a": [null, true]}'
    assert quoted("x") == "'x'"
    assert quoted("x" * 200).endswith("x...")

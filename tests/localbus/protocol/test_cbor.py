"""CBOR, by the examples of RFC 8949, appendix A."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from localbus.protocol import cbor


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1b000000e8d4a51000", 1_000_000_000_000),
        ("3903e7", -1000),
        ("fb3ff199999999999a", 1.1),
        ("f93c00", 1.0),
        ("fa47c35000", 100_000.0),
        ("f5", True),
        ("f6", None),
        ("6449455446", "IETF"),
        ("4401020304", "AQIDBA=="),
        ("83010203", [1, 2, 3]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("c11a514b67b0", 1_363_896_240),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f01820203ff", [1, [2, 3]]),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
    ],
)
def test_reading(data: str, value: object) -> None:
    """A document is read as its value; a time is its seconds, and bytes are base64."""
    assert cbor.loads(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "value", [0, 23, 24, 255, 256, 65_536, 2**40, -1, -1000, 1.1, True, None, "tea", [], {"a": [1]}]
)
def test_writing(value: Any) -> None:
    """A value that is written is read back."""
    assert cbor.loads(cbor.dumps(value)) == value


def test_writing_times_and_bytes() -> None:
    """A time is tag 1 with its seconds, and bytes are bytes."""
    assert cbor.dumps(datetime.fromtimestamp(1.5, UTC)) == bytes.fromhex("c1fb3ff8000000000000")
    assert cbor.dumps(b"\x01\x02") == bytes.fromhex("420102")


@pytest.mark.parametrize(
    "data", ["", "18", "62c0", "9f01", "0000", "a1f501", "9bffffffffffffffff", "81" * 50 + "00", "ff"]
)
def test_invalid_documents(data: str) -> None:
    """A document that ends too early, goes on after its value or is nested too deeply is refused."""
    with pytest.raises(ValueError, match=r"\w"):
        cbor.loads(bytes.fromhex(data))

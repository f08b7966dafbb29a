"""JSON by orjson equals JSON by the standard library."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.protocol import json_codec

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(_values)
def test_written_values_are_read_back(value: Any) -> None:
    """Integers of any size stay exact."""
    assert json.loads(json_codec.write(value)) == value
    assert json.loads(json_codec.write_answer(value)) == value


@pytest.mark.parametrize("text", ['{"a":"\\ud83d"}', '"\\ud800x"', "\ufeff1", "{}", '{"a":1,"a":2}'])
def test_values_that_orjson_rejects(text: str) -> None:
    """Lone surrogates are read as by the standard library, for the service to reject."""
    try:
        expected = json.loads(text.encode())
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            json_codec.read_request(text.encode())
    else:
        assert json_codec.read_request(text.encode()) == expected


@pytest.mark.parametrize("text", [b"[1e400]", b"[-1E999]", b"NaN", b'{"a":Infinity}'])
def test_only_finite_numbers_are_json(text: bytes) -> None:
    """Python's own reader takes these, which are no numbers of JSON or too large for one."""
    with pytest.raises(ValueError, match=r"."):
        json_codec.read_request(text)


def test_blobs_and_times_on_the_wire() -> None:
    """A blob is base64, a time is seconds since 1970."""
    written = json_codec.write_answer({"blob": b"\x00\xff", "time": datetime(2026, 1, 1, tzinfo=UTC)})

    assert json.loads(written) == {"blob": "AP8=", "time": 1767225600.0}

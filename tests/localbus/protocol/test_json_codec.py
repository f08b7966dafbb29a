"""JSON by orjson and by the standard library mean the same."""

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
def test_what_is_written_is_what_was_meant(value: Any) -> None:
    """Also whole numbers of any size come through as they are."""
    assert json.loads(json_codec.write(value)) == value
    assert json.loads(json_codec.write_answer(value)) == value


@pytest.mark.parametrize("text", ['{"a":"\\ud83d"}', '"\\ud800x"', "[1e400]", "\ufeff1", "{}", '{"a":1,"a":2}'])
def test_what_orjson_refuses_is_read_as_before(text: str) -> None:
    """Halves of a character and numbers without an end are the service's to refuse, not the reader's."""
    try:
        expected = json.loads(text.encode())
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            json_codec.read_request(text.encode())
    else:
        assert json_codec.read_request(text.encode()) == expected


def test_blobs_and_times_have_their_forms_on_the_wire() -> None:
    """A blob is base64, a time is seconds since 1970."""
    written = json_codec.write_answer({"blob": b"\x00\xff", "time": datetime(2026, 1, 1, tzinfo=UTC)})

    assert json.loads(written) == {"blob": "AP8=", "time": 1767225600.0}

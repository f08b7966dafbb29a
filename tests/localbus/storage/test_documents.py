"""Documents: whatever a service keeps can be written, for one that cannot would stop every later commit."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from localbus.storage.documents import decode, encode

TEXT = st.one_of(st.text(st.characters()), st.sampled_from(["$bytes", "$$bytes"]))  # half surrogate pairs too
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT)


@given(
    st.recursive(
        st.one_of(SCALARS, st.binary()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXT, inner)),
        max_leaves=8,
    )
)
@example({"tags": {"a": "\ud800"}})
@example(2**64 + 1)
@example({"tags": {"$bytes": "oat"}, "value": b"\x00\xff"})
def test_any_document_comes_back(document: Any) -> None:
    """Half surrogate pairs and odd names, which a tag may have, bytes, and integers of any size are kept."""
    assert decode(encode(document)) == document

"""The parser of web forms compared with the standard library's."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st
from localbus.http.forms import parse_form

_PARTS = st.sampled_from(
    [b"a", b"%41", b"%3D", b"%26", b"%c3%a9", b"%ff", b"%", b"%4", b"%zz", b"+", b"=", b"&", b"_", b"\n", "é".encode()]
)


@given(st.dictionaries(st.text(), st.text()))
def test_a_written_form_is_read(form: dict[str, str]) -> None:
    """Any names and values are read back unchanged."""
    body = urlencode(form).encode()

    read = parse_form(body)

    assert read == form


@given(st.lists(_PARTS, max_size=20).map(b"".join))
def test_any_body_is_read_as_by_the_standard_library(body: bytes) -> None:
    """A body that no client should send is also read the same."""
    expected = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))

    read = parse_form(body)

    assert read == expected

"""Pages of lists: by key, or newest first by the number of items left."""

from __future__ import annotations

import base64

import pytest
from localbus.errors import InvalidTokenError
from localbus.protocol.pagination import list_page, paginate


def test_pages_by_key_skip_what_is_deleted_meanwhile() -> None:
    """The next page starts after the last key shown, also when that item has been deleted."""
    page, token = paginate(["c", "a", "b", "d"], None, key=str, limit=2)

    assert page == ["a", "b"]
    assert paginate(["d", "aa", "c"], token, key=str, limit=2) == (["c", "d"], None)


def test_pages_without_a_key_keep_their_order_and_place() -> None:
    """An item that comes in front of the list does not shift the next page."""
    page, token = paginate([5, 4, 3, 2, 1], None, limit=2)

    assert page == [5, 4]
    assert paginate([6, 5, 4, 3, 2, 1], token, limit=5) == ([3, 2, 1], None)


@pytest.mark.parametrize("token", ["?", "a2V5", base64.b64encode(b"\xff").decode()])
def test_a_token_of_another_form_is_refused(token: str) -> None:
    """A token is Base64 of a number here."""
    with pytest.raises(InvalidTokenError):
        paginate([1], token)


def test_a_list_page_applies_limit_and_prefix() -> None:
    """Limit and NamePrefix of the input apply, and the last page has no token."""
    params = {"Limit": 1, "NamePrefix": "r"}
    first = list_page("Names", ["r2", "other", "r1"], params, key=str)
    last = list_page("Names", ["r2", "other", "r1"], params | {"NextToken": first["NextToken"]}, key=str)

    assert first["Names"] == ["r1"]
    assert last == {"Names": ["r2"]}

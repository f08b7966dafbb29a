"""Order ids as they are typed: in full, or a unique start of at least 8 characters."""

import pytest
from orderboard.errors import RigError, UsageError
from orderboard.orders.order_id import resolve_order_id

ORDER = "9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11"
OTHER = "9b2d1f0e-6a0c-5c3e-8f64-6d2f0a1c7b11"


def _known(start: str) -> set[str]:
    return {each for each in (ORDER, OTHER) if each.startswith(start)}


@pytest.mark.parametrize("typed", [ORDER, f" {ORDER.upper()}\n", ORDER[:13], ORDER[:35]])
def test_an_id_or_its_unique_start_is_resolved(typed: str) -> None:
    """Upper case and white space do not matter."""
    assert resolve_order_id(typed, _known) == ORDER


def test_a_full_id_is_not_looked_up() -> None:
    """An id of 36 characters needs no search, whether or not the system knows it."""
    assert resolve_order_id(ORDER, lambda _: pytest.fail("looked up")) == ORDER


@pytest.mark.parametrize("typed", ["", "x", "9b2d1f0", "order", "work", "9b2d1f0e6a0b", f"{ORDER}0", "9b2d1f0g"])
def test_anything_else_is_wrong_usage(typed: str) -> None:
    """The error quotes what was typed and says what an id looks like; nothing is looked up."""
    with pytest.raises(UsageError) as error:
        resolve_order_id(typed, lambda _: pytest.fail("looked up"))

    assert str(error.value) == (
        f"{typed!r} is not an order id: expected the 36 characters that `orderboard place` prints, "
        "or at least the first 8"
    )


def test_a_start_of_several_ids_is_wrong_usage() -> None:
    """The ids are listed, so that the user can choose."""
    with pytest.raises(UsageError, match=f"start of 2 order ids: {ORDER}, {OTHER}"):
        resolve_order_id(ORDER[:8], _known)


def test_an_unknown_start_is_not_found() -> None:
    """A start that no order has is an error, not wrong usage."""
    with pytest.raises(RigError, match="No order ffffffff was found") as error:
        resolve_order_id("ffffffff", _known)

    assert not isinstance(error.value, UsageError)

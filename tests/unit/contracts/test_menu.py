"""The menu."""

import re
from typing import Any, cast

import pytest
from orderboard_contracts.menu import CURRENCY, MENU


@pytest.mark.parametrize("sku", MENU)
def test_everything_on_the_menu_can_be_ordered(sku: str) -> None:
    """Every item has its key as SKU, a name, and a price in whole cents of the currency."""
    item = MENU[sku]

    assert item.sku == sku
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", sku)
    assert item.name
    assert item.unit_price_cents >= 1
    assert item.currency == CURRENCY


def test_the_menu_does_not_change() -> None:
    """The menu cannot be changed at run time."""
    with pytest.raises(TypeError):
        cast("dict[str, Any]", MENU)["unicorn"] = None

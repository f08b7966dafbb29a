"""The menu: the items and their prices. Prices are defined only here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Currency = Literal["EUR"]
CURRENCY: Final[Currency] = "EUR"


class MenuItem(BaseModel):
    """An item on the menu."""

    model_config = ConfigDict(frozen=True)

    sku: str = Field(description="Stock keeping unit: the name in an order.", examples=["flat-white"])
    name: str = Field(description="The name for people.", examples=["Flat white"])
    unit_price_cents: int = Field(ge=1, description="Price of one, in cents.", examples=[390])
    currency: Currency = CURRENCY


MENU: Final[Mapping[str, MenuItem]] = MappingProxyType(
    {
        item.sku: item
        for item in (
            MenuItem(sku="espresso", name="Espresso", unit_price_cents=240),
            MenuItem(sku="americano", name="Americano", unit_price_cents=300),
            MenuItem(sku="cappuccino", name="Cappuccino", unit_price_cents=370),
            MenuItem(sku="flat-white", name="Flat white", unit_price_cents=390),
            MenuItem(sku="filter-coffee", name="Filter coffee", unit_price_cents=280),
            MenuItem(sku="hot-chocolate", name="Hot chocolate", unit_price_cents=350),
            MenuItem(sku="tea", name="Pot of tea", unit_price_cents=320),
            MenuItem(sku="croissant", name="Croissant", unit_price_cents=260),
            MenuItem(sku="cinnamon-bun", name="Cinnamon bun", unit_price_cents=310),
            MenuItem(sku="catering-box", name="Catering box for ten", unit_price_cents=8900),
        )
    }
)

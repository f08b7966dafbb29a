"""The kinds of orders that the console places, as bodies of POST /orders. Values only."""

import random
from typing import Final, Literal, get_args

from orderboard_contracts.menu import MENU

Kind = Literal["normal", "express", "large", "twice", "cancelled", "poisoned", "flaky"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_LARGE_SKU: Final = "catering-box"
_SMALL_SKUS: Final = tuple(sku for sku in MENU if sku != _LARGE_SKU)
_CUSTOMERS: Final = ("ada", "alan", "barbara", "edsger", "grace", "katherine", "leslie", "margaret")
_ONE_IN: Final = 5  # of many orders, this share is express


def body(kind: Kind, rng: random.Random, *, faults: bool) -> dict[str, object]:
    """An order of this kind, made up. faults: whether the system takes orders that carry one."""
    sku = rng.choice(_SMALL_SKUS)
    order: dict[str, object] = {
        "customer_id": rng.choice(_CUSTOMERS),
        "lines": [{"sku": sku, "quantity": rng.randint(1, 3)}],
    }
    match kind:
        case "express":
            order["priority"] = "express"
        case "large":
            order["lines"] = [{"sku": _LARGE_SKU, "quantity": rng.randint(2, 4)}]
        case "poisoned":
            order["fault"] = "poison"
        case "flaky":
            order["fault"] = "flaky:2"
        case "cancelled" if faults:
            order["fault"] = "slow:1500"  # time enough for the cancellation to overtake it
    return order


def of_many(rng: random.Random) -> Kind:
    """The kind of the next one, where many are sent."""
    return "express" if rng.randrange(_ONE_IN) == 0 else "normal"

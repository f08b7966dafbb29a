"""The morning rush: which orders the demo sends, and how each may end. Values only; demo.py sends them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from orderboard_contracts.menu import MENU

from orderboard.orders.kinds import SOLD_OUT_SKU, Cancellation, Ending

Kind = Literal[
    "normal",
    "express",
    "large",
    "sold out",
    "flaky",
    "sent twice",
    "cancelled at once",
    "cancelled late",
    "poisoned",
    "not on the menu",
    "none of it",
]
SLOW_MS: Final = 1_500
_LARGE_SKU: Final = "catering-box"
_SMALL_SKUS: Final = tuple(sku for sku in MENU if sku not in (SOLD_OUT_SKU, _LARGE_SKU))
_CUSTOMERS: Final = ("ada", "alan", "barbara", "edsger", "grace", "katherine", "leslie", "margaret")
_NOTES: Final = (None, None, None, "oat milk, please", "extra hot", "για το σπίτι", "no sugar ☕")

# How many of each. Two hundred in all.
COUNTS: Final[dict[Kind, int]] = {
    "normal": 118,
    "express": 36,
    "large": 10,
    "sold out": 8,
    "flaky": 6,
    "sent twice": 6,
    "cancelled at once": 7,
    "cancelled late": 6,
    "poisoned": 1,
    "not on the menu": 1,
    "none of it": 1,
}

# Where an order of this kind may end; nowhere: the API must refuse it. A cancellation that is sent at once normally
# overtakes its slow order, but nothing promises that: on a busy machine it may be refused, and that is right too.
MAY_END: Final[dict[Kind, frozenset[Ending]]] = {
    "normal": frozenset(("completed",)),
    "express": frozenset(("completed",)),
    "large": frozenset(("completed",)),
    "sold out": frozenset(("rejected",)),
    "flaky": frozenset(("completed",)),
    "sent twice": frozenset(("completed",)),
    "cancelled at once": frozenset(("cancelled", "completed")),
    "cancelled late": frozenset(("completed",)),
    "poisoned": frozenset(("dead-lettered",)),
    "not on the menu": frozenset(),
    "none of it": frozenset(),
}


@dataclass(frozen=True)
class Intent:
    """One order of the rush: what is sent, how often, and whether it is cancelled."""

    kind: Kind
    idempotency_key: str
    body: dict[str, object] = field(hash=False)
    sends: int = 1
    cancellation: Cancellation = "never"

    @property
    def may_end(self) -> frozenset[Ending]:
        """Where it may end; empty when the API must refuse it."""
        return MAY_END[self.kind]


def morning_rush(seed: int, run: str) -> list[Intent]:
    """About two hundred orders in a shuffled order: the same for the same seed, with keys of their own for each run."""
    rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
    kinds = [kind for kind, count in COUNTS.items() for _ in range(count)]
    rng.shuffle(kinds)
    return [_intent(kind, f"rush-{run}-{number}", rng) for number, kind in enumerate(kinds, start=1)]


def _intent(kind: Kind, key: str, rng: random.Random) -> Intent:
    body: dict[str, object] = {"customer_id": rng.choice(_CUSTOMERS), "lines": list(_lines(kind, rng))}
    if kind == "express":
        body["priority"] = "express"
    if (note := rng.choice(_NOTES)) is not None:
        body["note"] = note
    match kind:
        case "flaky":
            body["fault"] = "flaky:1"
        case "poisoned":
            body["fault"] = "poison"
        case "cancelled at once":
            body["fault"] = f"slow:{SLOW_MS}"
            return Intent(kind, key, body, cancellation="at once")
        case "cancelled late":
            return Intent(kind, key, body, cancellation="when final")
        case "sent twice":
            return Intent(kind, key, body, sends=2)
    return Intent(kind, key, body)


def _lines(kind: Kind, rng: random.Random) -> Iterator[dict[str, object]]:
    for sku in rng.sample(_SMALL_SKUS, rng.randint(1, 3)):
        yield {"sku": sku, "quantity": 0 if kind == "none of it" else rng.randint(1, 4)}
    match kind:
        case "large":
            yield {"sku": _LARGE_SKU, "quantity": rng.randint(2, 4)}
        case "sold out":
            yield {"sku": SOLD_OUT_SKU, "quantity": rng.randint(1, 4)}
        case "not on the menu":
            yield {"sku": "unicorn-latte", "quantity": 1}

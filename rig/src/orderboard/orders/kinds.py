"""Order kinds: the one vocabulary of what the demo, a burst and the console send, and where each kind may end."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from orderboard_contracts.menu import MENU

Ending = Literal["completed", "rejected", "cancelled", "dead-lettered"]
Cancellation = Literal["never", "at once", "when final"]
KindName = Literal[
    "normal",
    "express",
    "large",
    "sold_out",
    "invalid",
    "empty",
    "duplicate",
    "cancel",
    "cancel_late",
    "flaky",
    "slow",
    "poison",
]

ENDINGS: Final[tuple[Ending, ...]] = get_args(Ending)
SOLD_OUT_SKU: Final = "cinnamon-bun"
# Delays an order long enough for a cancellation sent at once to overtake it.
CANCELLABLE_FAULT: Final = "slow:1500"
CUSTOMERS: Final = ("ada", "alan", "barbara", "edsger", "grace", "katherine", "leslie", "margaret")
_LARGE_SKU: Final = "catering-box"
_UNKNOWN_SKU: Final = "unicorn-latte"
_SMALL_SKUS: Final = tuple(sku for sku in MENU if sku not in (SOLD_OUT_SKU, _LARGE_SKU))
_NOTES: Final = (None, None, "oat milk, please", "extra hot, and a second cup to share", "για το σπίτι", "no sugar ☕")
_COMPLETED: Final[frozenset[Ending]] = frozenset(("completed",))


@dataclass(frozen=True)
class OrderKind:
    """One kind of order. `label` is for tables; `may_end` is empty where the API must refuse the order."""

    label: str
    meaning: str
    may_end: frozenset[Ending] = _COMPLETED
    fault: str | None = None
    sends: int = 1
    cancellation: Cancellation = "never"


# A cancellation sent at once normally overtakes a slow order, but nothing promises that: both ends are right.
KINDS: Final[Mapping[KindName, OrderKind]] = {
    "normal": OrderKind("normal", "a few small items"),
    "express": OrderKind("express", "uses the express queue; an alert announces it when it is ready"),
    "large": OrderKind("large", "its total is high enough for an alert"),
    "sold_out": OrderKind("sold out", "the worker rejects it", frozenset(("rejected",))),
    "invalid": OrderKind("not on the menu", "has an unknown SKU; the API must refuse it", frozenset()),
    "empty": OrderKind("none of it", "has a quantity of 0; the API must refuse it", frozenset()),
    "duplicate": OrderKind("sent twice", "sent twice at once with one Idempotency-Key", sends=2),
    "cancel": OrderKind(
        "cancelled at once",
        "cancelled as soon as it is accepted",
        frozenset(("cancelled", "completed")),
        cancellation="at once",
    ),
    "cancel_late": OrderKind("cancelled late", "cancelled after it is final", cancellation="when final"),
    "flaky": OrderKind("flaky", "fails once, then succeeds", fault="flaky:1"),
    "slow": OrderKind("slow", "takes a second longer", fault="slow:1000"),
    "poison": OrderKind("poisoned", "fails on every try", frozenset(("dead-lettered",)), fault="poison"),
}


def order_body(name: KindName, rng: random.Random, *, customers: Sequence[str] = CUSTOMERS) -> dict[str, object]:
    """Return a random order of this kind: the body of POST /orders."""
    # The methods of Random for whole numbers take several times as long as random() does.
    body: dict[str, object] = {"customer_id": customers[int(rng.random() * len(customers))], "lines": _lines(name, rng)}
    if name == "express":
        body["priority"] = "express"
    if (note := _NOTES[int(rng.random() * len(_NOTES))]) is not None:
        body["note"] = note
    if (fault := KINDS[name].fault) is not None:
        body["fault"] = fault
    return body


def _lines(name: KindName, rng: random.Random) -> list[dict[str, object]]:
    random, skus = rng.random, list(_SMALL_SKUS)
    lines: list[dict[str, object]] = [
        {"sku": skus.pop(int(random() * len(skus))), "quantity": 0 if name == "empty" else 1 + int(random() * 4)}
        for _ in range(1 + int(random() * 4))
    ]
    extra = {"large": _LARGE_SKU, "sold_out": SOLD_OUT_SKU, "invalid": _UNKNOWN_SKU}.get(name)
    if extra is not None:
        lines.append({"sku": extra, "quantity": rng.randint(2, 4)})
    return lines

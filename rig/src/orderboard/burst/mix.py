"""What is ordered: a mix of kinds, drawn by a seed, or the user's own orders. The same seed gives the same orders.

Values only; generator.py sends them. Where an order may end is said here, so that the verdict can hold it against what
is found.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from orderboard_contracts.menu import MENU

from orderboard.orders.kinds import SOLD_OUT_SKU, Ending

ANY_ENDING: Final[frozenset[Ending]] = frozenset(get_args(Ending))
_MADE: Final[frozenset[Ending]] = frozenset(("completed", "dead-lettered"))
_LARGE_SKU: Final = "catering-box"
_SMALL_SKUS: Final = tuple(sku for sku in MENU if sku not in (SOLD_OUT_SKU, _LARGE_SKU))
_CUSTOMERS: Final = 500
_NOTES: Final = (None, None, "oat milk, please", "extra hot, and a second cup to share", "για το σπίτι", "no sugar ☕")


@dataclass(frozen=True)
class Kind:
    """What an order of this kind is, and where it may end (nowhere: the API must refuse it).

    Any order that the API takes may also rest in a dead-letter queue: that is late, not lost.
    """

    meaning: str
    may_end: frozenset[Ending]
    fault: str | None = None
    sends: int = 1
    cancels: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "normal": Kind("what is left of 100 %", _MADE),
    "express": Kind("has a queue of its own, and is announced when ready", _MADE),
    "large": Kind("large enough to be announced", _MADE),
    "sold_out": Kind("the worker rejects it", frozenset(("rejected", "dead-lettered"))),
    "invalid": Kind("not on the menu; the API must refuse it", frozenset()),
    "duplicate": Kind("sent twice at once with one Idempotency-Key", _MADE, sends=2),
    "cancel": Kind("cancelled as soon as it is accepted", frozenset(("cancelled", *_MADE)), cancels=True),
    "flaky": Kind("fails once, then works", _MADE, fault="flaky:1"),
    "slow": Kind("takes a second longer", _MADE, fault="slow:1000"),
    "poison": Kind("no retry helps", frozenset(("dead-lettered",)), fault="poison"),
}
OWN: Final = Kind("from --from FILE", ANY_ENDING)


@dataclass(frozen=True)
class Intent:
    """One order to be sent. Its key gives its order id, so what landed without an answer can be recognised."""

    kind: str
    idempotency_key: str
    body: Mapping[str, object] = field(hash=False)
    sends: int = 1
    cancels: bool = False


@dataclass(frozen=True)
class Mix:
    """Percent of each kind; what is left is normal."""

    percent: tuple[tuple[str, float], ...] = ()

    def intents(self, *, seed: int, run: str, orders: int) -> Iterator[Intent]:
        """So many orders, the same for the same seed; run makes their keys this run's own."""
        rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
        names = [name for name, _ in self.percent] + ["normal"]
        weights = [percent for _, percent in self.percent] + [100 - sum(percent for _, percent in self.percent)]
        for number in range(orders):
            (name,) = rng.choices(names, weights)
            yield _intent(name, f"{run}-{number}", rng)


@dataclass(frozen=True)
class OwnOrders:
    """The user's own orders, from the first again when more are wanted than there are."""

    bodies: Sequence[Mapping[str, object]]

    def intents(self, *, seed: int, run: str, orders: int) -> Iterator[Intent]:
        """So many of them, in their order; the seed changes nothing."""
        del seed
        for number in range(orders):
            yield Intent("own", f"{run}-{number}", self.bodies[number % len(self.bodies)])


Orders = Mix | OwnOrders


def kind(name: str) -> Kind:
    """The kind of this name."""
    return OWN if name == "own" else KINDS[name]


def parse_mix(text: str) -> Mix:
    """Read `express=10,poison=0.1`, in percent; raise ValueError with what can be said."""
    percent: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, value = part.partition("=")
        if name not in KINDS or name == "normal":
            raise ValueError(f"there is no kind {name!r}; choose from {', '.join(k for k in KINDS if k != 'normal')}")
        if name in percent:
            raise ValueError(f"{name} is there twice")
        try:
            percent[name] = float(value)
        except ValueError:
            raise ValueError(f"{name} needs a percentage, such as {name}=2, not {value!r}") from None
        if not 0 <= percent[name] <= 100:
            raise ValueError(f"{name}={value} is not between 0 and 100 percent")
    if (total := sum(percent.values())) > 100:
        raise ValueError(f"the kinds come to {total:g} percent, more than 100")
    return Mix(tuple(percent.items()))


def _intent(name: str, key: str, rng: random.Random) -> Intent:
    what = KINDS[name]
    body: dict[str, object] = {"customer_id": f"customer-{rng.randrange(_CUSTOMERS):03}", "lines": _lines(name, rng)}
    if name == "express":
        body["priority"] = "express"
    if (note := rng.choice(_NOTES)) is not None:
        body["note"] = note
    if what.fault is not None:
        body["fault"] = what.fault
    return Intent(name, key, body, what.sends, what.cancels)


def _lines(name: str, rng: random.Random) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = [
        {"sku": sku, "quantity": rng.randint(1, 4)} for sku in rng.sample(_SMALL_SKUS, rng.randint(1, 4))
    ]
    match name:
        case "large":
            lines.append({"sku": _LARGE_SKU, "quantity": rng.randint(2, 4)})
        case "sold_out":
            lines.append({"sku": SOLD_OUT_SKU, "quantity": rng.randint(1, 4)})
        case "invalid":
            lines.append({"sku": "unicorn-latte", "quantity": 1})
    return lines

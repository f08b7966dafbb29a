"""The orders of a burst: a seeded mix of kinds, or the user's own orders. The same seed gives the same orders."""

import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Protocol

from orderboard.option_values import parse_number
from orderboard.orders.kinds import ENDINGS, KINDS, Cancellation, Ending, KindName, order_body

MIX_KINDS: Final[tuple[KindName, ...]] = (
    *("express", "large", "sold_out", "invalid", "duplicate", "cancel", "flaky", "slow", "poison"),
)
_CUSTOMERS: Final = tuple(f"customer-{number:03}" for number in range(500))


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order to send. Its key determines its order id, so one that landed without an answer can be recognised.

    `may_end` is empty where the API must refuse the order. line: of the user's file, 0 without one.
    """

    kind: str
    idempotency_key: str
    body: Mapping[str, object] = field(hash=False)
    may_end: frozenset[Ending] = frozenset(ENDINGS)
    sends: int = 1
    cancellation: Cancellation = "never"
    line: int = 0
    may_be_refused: bool = False


class OrderSource(Protocol):
    """A source of orders that can be pickled."""

    def orders(self, *, seed: int, run: str, count: int) -> Iterator[PlannedOrder]:
        """Generate `count` orders, the same for the same seed. `run` is part of their keys."""


@dataclass(frozen=True)
class Mix:
    """A percentage of each kind; the rest is normal."""

    percent: tuple[tuple[KindName, float], ...] = ()

    def orders(self, *, seed: int, run: str, count: int) -> Iterator[PlannedOrder]:
        """Draw kinds and bodies at random."""
        rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
        names: list[KindName] = [*(name for name, _ in self.percent), "normal"]
        up_to = [*accumulate(percent / 100 for _, percent in self.percent), 2.0]  # the rest is normal
        endings = {name: burst_endings(name) for name in names}
        for number in range(count):
            name = names[bisect_right(up_to, rng.random())]
            kind, body = KINDS[name], order_body(name, rng, customers=_CUSTOMERS)
            yield PlannedOrder(name, f"{run}-{number}", body, endings[name], kind.sends, kind.cancellation)


@dataclass(frozen=True)
class OwnOrders:
    """The user's own orders, repeated from the first when there are too few. Each has the number of its line."""

    lines: Sequence[tuple[int, Mapping[str, object]]]
    may_be_refused: bool = False

    def orders(self, *, seed: int, run: str, count: int) -> Iterator[PlannedOrder]:
        """Return them in their order, whatever the seed."""
        del seed
        for number in range(count):
            line, body = self.lines[number % len(self.lines)]
            yield PlannedOrder("own", f"{run}-{number}", body, line=line, may_be_refused=self.may_be_refused)


def burst_endings(name: KindName) -> frozenset[Ending]:
    """Return where an order may end in a burst: if accepted, also in a dead-letter queue. That is late, not lost."""
    may_end = KINDS[name].may_end
    return may_end | {"dead-lettered"} if may_end else may_end


def parse_mix(text: str) -> Mix:
    """Parse `express=10,poison=0.1`, in percent; raise ValueError with the reason."""
    percent: dict[KindName, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        key, _, value = part.partition("=")
        name = next((each for each in MIX_KINDS if each == key), None)
        if name is None:
            raise ValueError(f"unknown kind {key!r}; expected one of {', '.join(MIX_KINDS)}")
        if name in percent:
            raise ValueError(f"{name} is given twice")
        try:
            percent[name] = parse_number(value)
        except ValueError:
            raise ValueError(f"expected a percentage for {name}, such as {name}=2") from None
        if not 0 <= percent[name] <= 100:
            raise ValueError(f"expected 0 to 100 percent for {name}")
    if (total := sum(percent.values())) > 100:
        raise ValueError(f"the kinds add up to {total:g} percent, more than 100")
    return Mix(tuple(percent.items()))

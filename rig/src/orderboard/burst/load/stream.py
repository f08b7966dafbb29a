"""A stream of orders: open, with a time for each order, or closed, with clients that wait for their answers.

Open: a slow system does not slow the load down. Closed: it does, as each client sends its next order only after the
answer to the last, so the time that orders would have queued before they were sent is not seen
(https://www.usenix.org/legacy/event/nsdi06/tech/schroeder/schroeder.pdf).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple

from orderboard.burst.load.mix import OrderSource, PlannedOrder
from orderboard.burst.scenario.defaults import MAX_ORDERS


@dataclass(frozen=True)
class Part:
    """The part of a load that one of several generators sends: each order whose number leaves `index` over."""

    index: int = 0
    of: int = 1

    def share(self, whole: int) -> int:
        """Return how many of so many are in this part."""
        return len(range(self.index, whole, self.of))


WHOLE: Final = Part()


@dataclass(frozen=True)
class Open:
    """An intended time for each order, ascending, in seconds from the start."""

    times_s: Sequence[float]

    def split(self, part: Part) -> "Open":
        """Return the load of a part: the times of all parts together are these."""
        return Open(self.times_s[part.index :: part.of])


class Client(NamedTuple):
    """A client, and when it sends: it begins no order from until_s on."""

    from_s: float
    until_s: float


@dataclass(frozen=True)
class Closed:
    """Clients that send one order after another until the time of each is over, or all orders are sent."""

    clients: Sequence[Client]
    think_s: float = 0.0  # between an answer and the next order
    orders: int | None = None

    def working(self, at_s: float) -> int:
        """Return how many clients send at a moment."""
        starts_s, ends_s = self._changes_s
        return bisect_right(starts_s, at_s) - bisect_right(ends_s, at_s)

    @cached_property
    def _changes_s(self) -> tuple[Sequence[float], Sequence[float]]:
        return sorted(each.from_s for each in self.clients), sorted(each.until_s for each in self.clients)

    def split(self, part: Part) -> "Closed":
        """Return the load of a part: its clients, and its orders if their number is known."""
        orders = None if self.orders is None else part.share(self.orders)
        return replace(self, clients=self.clients[part.index :: part.of], orders=orders)


@dataclass(frozen=True)
class Stream:
    """Orders from one source, and when they are sent. `run` is part of their keys.

    part: the load is that of one generator of several. Each order keeps its number, whatever the number of generators.
    """

    source: OrderSource
    load: Open | Closed
    seed: int
    run: str
    name: str = ""
    part: Part = WHOLE

    def split(self, part: Part) -> "Stream":
        """Return what one of several generators sends of it."""
        return replace(self, load=self.load.split(part), part=part)

    @property
    def planned(self) -> int | None:
        """The number of orders; None if it depends on the answers."""
        return len(self.load.times_s) if isinstance(self.load, Open) else self.load.orders

    def has(self, number: int) -> bool:
        """Return whether it has an order of this number."""
        part, planned = self.part, self.planned
        most = MAX_ORDERS if planned is None else planned * part.of
        return 0 <= number < most and number % part.of == part.index

    def orders(self) -> Iterator[tuple[int, PlannedOrder]]:
        """Generate its orders with their numbers, the same each time; up to MAX_ORDERS if that is not planned."""
        part, planned = self.part, MAX_ORDERS if self.planned is None else self.planned
        up_to = min(MAX_ORDERS, part.index + (planned - 1) * part.of + 1) if planned else 0
        orders = self.source.orders(seed=self.seed, run=self.run, count=up_to)
        return islice(enumerate(orders), part.index, None, part.of)

"""A stream of orders: open, with a time for each order, or closed, with clients that wait for their answers.

Open: a slow system does not slow the load down. Closed: it does, as each client sends its next order only after the
answer to the last, so the time that orders would have queued before they were sent is not seen
(https://www.usenix.org/legacy/event/nsdi06/tech/schroeder/schroeder.pdf).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orderboard.burst.load.mix import OrderSource, PlannedOrder
from orderboard.burst.scenario.defaults import MAX_ORDERS


@dataclass(frozen=True)
class Open:
    """An intended time for each order, ascending, in seconds from the start."""

    times_s: Sequence[float]


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


@dataclass(frozen=True)
class Stream:
    """Orders from one source, and when they are sent. `run` is part of their keys."""

    source: OrderSource
    load: Open | Closed
    seed: int
    run: str
    name: str = ""

    @property
    def planned(self) -> int | None:
        """The number of orders; None if it depends on the answers."""
        return len(self.load.times_s) if isinstance(self.load, Open) else self.load.orders

    def orders(self) -> Iterator[PlannedOrder]:
        """Generate its orders, the same each time; MAX_ORDERS if their number depends on the answers."""
        planned = MAX_ORDERS if self.planned is None else self.planned
        return self.source.orders(seed=self.seed, run=self.run, count=planned)

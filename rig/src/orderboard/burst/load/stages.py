"""Stages of a load: `30s:100` sends 100 orders a second for 30 s, `1m:100..400` goes from 100 to 400 in a minute.

With a c they are of clients: `1m:10c..50c`. Pure. An order is sent, and a client begins or ends, when the number that
is due by then reaches the middle of its place, so stages join without a gap or a bunch.
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from orderboard.burst.load.stream import Client
from orderboard.burst.scenario.defaults import MAX_CLIENTS
from orderboard.option_values import parse_duration, parse_number, parse_whole_number

_MAX_RATE: Final = 1_000_000.0
_OF_CLIENTS: Final = "c"


@dataclass(frozen=True)
class Stage:
    """A straight line of the rate, in orders a second."""

    lasts_s: float
    from_rate: float
    to_rate: float

    @property
    def orders(self) -> float:
        """The number of orders that are due in it, which may be a fraction."""
        return self.lasts_s * (self.from_rate + self.to_rate) / 2

    def scaled(self, scale: float) -> "Stage":
        """Return it with its rates times `scale`."""
        return Stage(self.lasts_s, self.from_rate * scale, self.to_rate * scale)

    def after(self, orders: float) -> float:
        """Return the seconds from its start until so many orders are due."""
        steepness = (self.to_rate - self.from_rate) / self.lasts_s
        # The root of steepness/2 t^2 + from_rate t = orders, in the form that is exact for a steepness near zero.
        root = math.sqrt(max(0.0, self.from_rate**2 + 2 * steepness * orders))
        return min(self.lasts_s, 2 * orders / (self.from_rate + root)) if orders > 0 else 0.0

    def __str__(self) -> str:
        rates = f"{self.from_rate:g}" if self.from_rate == self.to_rate else f"{self.from_rate:g}..{self.to_rate:g}"
        return f"{self.lasts_s:g}s:{rates}"


@dataclass(frozen=True)
class ClientStage:
    """A straight line of the number of clients."""

    lasts_s: float
    from_clients: int
    to_clients: int

    def works(self, number: int) -> tuple[float, float] | None:
        """Return from when until when the client of this number, from 1 on, is one of them; None if never."""
        low, high = sorted((self.from_clients, self.to_clients))
        if number > high:
            return None
        if number <= low:
            return 0.0, self.lasts_s
        crossed_s = self.lasts_s * (number - 0.5 - self.from_clients) / (self.to_clients - self.from_clients)
        return (crossed_s, self.lasts_s) if self.to_clients == high else (0.0, crossed_s)


def parse_stage(text: str) -> Stage | ClientStage:
    """Parse `30s:100`, `1m:100..400` or `1m:10c..50c`; raise ValueError with the reason."""
    lasts, colon, values = text.partition(":")
    if not colon:
        raise ValueError("expected TIME:RATE or TIME:RATE..RATE, such as 30s:100 or 1m:100..400, or 1m:10c..50c")
    lasts_s = parse_duration(lasts)
    if lasts_s <= 0:
        raise ValueError("expected a time above 0")
    first, dots, last = values.partition("..")
    ends = (first, last) if dots else (first, first)
    of_clients = {each.endswith(_OF_CLIENTS) for each in ends}
    if len(of_clients) > 1:
        raise ValueError("expected clients or rates at both ends, such as 10c..50c or 10..50")
    return ClientStage(lasts_s, *map(_clients, ends)) if of_clients == {True} else Stage(lasts_s, *map(_rate, ends))


def _clients(text: str) -> int:
    number = parse_whole_number(text.removesuffix(_OF_CLIENTS))
    if number > MAX_CLIENTS:
        raise ValueError(f"expected at most {MAX_CLIENTS:,} clients")
    return number


def _rate(text: str) -> float:
    rate = parse_number(text)
    if not 0 <= rate <= _MAX_RATE:
        raise ValueError(f"expected a rate from 0 to {_MAX_RATE:,.0f} orders a second")
    return rate


def stage_clients(stages: Sequence[ClientStage]) -> tuple[Client, ...]:
    """Return the clients, ascending by their start. One that comes back after a pause is another."""
    found: list[Client] = []
    for number in range(1, 1 + max(max(each.from_clients, each.to_clients) for each in stages)):
        before: Client | None = None
        for stage, start_s in zip(stages, stage_starts_s(stages), strict=True):
            if (works := stage.works(number)) is None:
                continue
            client = Client(start_s + works[0], start_s + works[1])
            if before is not None and before.until_s == client.from_s:
                client = Client(found.pop().from_s, client.until_s)
            found.append(client)
            before = client
    return tuple(sorted(found))


def stage_starts_s(stages: Sequence[Stage | ClientStage]) -> Iterator[float]:
    """Yield the start of each stage."""
    start_s = 0.0
    for stage in stages:
        yield start_s
        start_s += stage.lasts_s


def stage_times(stages: Sequence[Stage], *, poisson_seed: int | None = None) -> list[float]:
    """Return the intended time of each order, ascending; with a seed, at random, each independent of the others."""
    whole = round(math.fsum(stage.orders for stage in stages))
    if poisson_seed is None:
        return list(_times(stages, (number + 0.5 for number in range(whole))))
    rng = random.Random(poisson_seed)  # noqa: S311 - variety, not secrecy
    due = math.fsum(stage.orders for stage in stages)
    return list(_times(stages, sorted(rng.random() * due for _ in range(whole))))


def _times(stages: Sequence[Stage], due: Iterable[float]) -> Iterator[float]:
    """Yield when so many orders are due, for ascending numbers."""
    before = [0.0]
    for stage in stages:
        before.append(before[-1] + stage.orders)
    pieces = zip(stages, stage_starts_s(stages), pairwise(before), strict=True)
    stage, start_s, (low, high) = next(pieces)
    for number in due:
        while number > high and (following := next(pieces, None)) is not None:
            stage, start_s, (low, high) = following
        yield start_s + stage.after(number - low)

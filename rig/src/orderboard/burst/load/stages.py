"""Stages of a load: `30s:100` sends 100 orders a second for 30 s, `1m:100..400` goes from 100 to 400 in a minute.

Pure. An order is sent when the number that is due by then reaches the middle of its place, so stages join without a
gap or a bunch.
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from orderboard.option_values import parse_duration, parse_number

_MAX_RATE: Final = 1_000_000.0


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

    def after(self, orders: float) -> float:
        """Return the seconds from its start until so many orders are due."""
        steepness = (self.to_rate - self.from_rate) / self.lasts_s
        # The root of steepness/2 t^2 + from_rate t = orders, in the form that is exact for a steepness near zero.
        root = math.sqrt(max(0.0, self.from_rate**2 + 2 * steepness * orders))
        return min(self.lasts_s, 2 * orders / (self.from_rate + root)) if orders > 0 else 0.0

    def __str__(self) -> str:
        rates = f"{self.from_rate:g}" if self.from_rate == self.to_rate else f"{self.from_rate:g}..{self.to_rate:g}"
        return f"{self.lasts_s:g}s:{rates}"


def parse_stage(text: str) -> Stage:
    """Parse `30s:100` or `1m:100..400`; raise ValueError with the reason."""
    lasts, colon, rates = text.partition(":")
    if not colon:
        raise ValueError("expected TIME:RATE or TIME:RATE..RATE, such as 30s:100 or 1m:100..400")
    lasts_s = parse_duration(lasts)
    if lasts_s <= 0:
        raise ValueError("expected a time above 0")
    first, dots, last = rates.partition("..")
    found = [parse_number(rate) for rate in ((first, last) if dots else (first, first))]
    if not all(0 <= rate <= _MAX_RATE for rate in found):
        raise ValueError(f"expected a rate from 0 to {_MAX_RATE:,.0f} orders a second")
    return Stage(lasts_s, *found)


def stage_starts_s(stages: Sequence[Stage]) -> Iterator[float]:
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

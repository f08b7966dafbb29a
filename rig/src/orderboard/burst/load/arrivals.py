"""When orders are meant to be sent: a profile gives the intended times, in seconds from the start. Pure, and seeded.

The rate is always the mean, so orders = rate x duration whatever the profile; a profile only says how they are spread:
`spread` goes from a share of the orders (0 to 1) to the share of the time at which that share has been sent.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final


@dataclass(frozen=True)
class Constant:
    """Evenly."""

    def spread(self, share: float) -> float:
        """At equal distances."""
        return share


@dataclass(frozen=True)
class Ramp:
    """From nothing to twice the mean rate, in a straight line."""

    def spread(self, share: float) -> float:
        """The root, because what has been sent grows with the square of the time."""
        return math.sqrt(share)


@dataclass(frozen=True)
class Spike:
    """A base rate, and for a while `factor` times as much. `at` and `lasts` are shares of the duration."""

    factor: float = 10.0
    at: float = 0.3
    lasts: float = 0.1

    def __post_init__(self) -> None:
        if not (self.factor > 1 and 0 <= self.at < 1 and self.lasts > 0 and self.at + self.lasts <= 1):
            raise ValueError("a spike has a factor above 1, and at and lasts within the duration (0 to 1)")

    def spread(self, share: float) -> float:
        """Three straight pieces: before, during and after."""
        base = 1 / (1 + (self.factor - 1) * self.lasts)
        before = base * self.at
        during = base * self.factor * self.lasts
        if share <= before:
            return share / base
        if share <= before + during:
            return self.at + (share - before) / (base * self.factor)
        return self.at + self.lasts + (share - before - during) / base


@dataclass(frozen=True)
class Sawtooth:
    """Again and again from nothing to twice the mean rate, then at once back to nothing."""

    teeth: int = 4

    def __post_init__(self) -> None:
        if self.teeth < 1:
            raise ValueError("a sawtooth has at least one tooth")

    def spread(self, share: float) -> float:
        """A ramp in each tooth."""
        tooth, within = divmod(share * self.teeth, 1)
        return (tooth + math.sqrt(within)) / self.teeth


@dataclass(frozen=True)
class Poisson:
    """At random, each order independent of the others, as many strangers would come.

    For a given number of orders a Poisson process is that many uniform times, sorted.
    """


@dataclass(frozen=True)
class Trace:
    """The times of a recording, the first of which is the start."""

    times_s: tuple[float, ...]


Profile = Constant | Ramp | Spike | Sawtooth | Poisson | Trace
PROFILES: Final[dict[str, type[Constant | Ramp | Spike | Sawtooth | Poisson]]] = {
    "constant": Constant,
    "ramp": Ramp,
    "spike": Spike,
    "sawtooth": Sawtooth,
    "poisson": Poisson,
}


def send_times(profile: Profile, *, orders: int, duration_s: float, seed: int) -> Sequence[float]:
    """The intended time of each order, in seconds from the start, never falling. A trace has times of its own."""
    match profile:
        case Trace(times_s=times_s):
            return times_s
        case Poisson():
            rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
            return sorted(rng.random() * duration_s for _ in range(orders))
        case shape:
            # Each order in the middle of its own share, so that neither the start nor the end has one too many.
            return [shape.spread((number + 0.5) / orders) * duration_s for number in range(orders)]


def parse_profile(text: str) -> Profile:
    """Read `spike` or `spike:factor=20,at=0.5,lasts=0.05`; raise ValueError with what can be said."""
    name, _, rest = text.partition(":")
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name!r}; choose from {', '.join(PROFILES)}, or give --trace FILE")
    known = {field.name: field.type for field in fields(PROFILES[name])}
    values: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            raise ValueError(f"{name} has no {key!r}; it has {', '.join(known) or 'no settings'}")
        try:
            values[key] = int(value) if known[key] is int else float(value)
        except ValueError:
            raise ValueError(f"{name}: {key} is a number, not {value!r}") from None
    return PROFILES[name](**values)


def parse_trace(lines: Iterator[str]) -> Trace:
    """Read one time a line, in seconds, or as ISO 8601 where a line is no number. They are sorted, the first is 0."""
    times: list[float] = []
    for number, line in enumerate(lines, start=1):
        if not (text := line.strip()) or text.startswith("#"):
            continue
        try:
            time_s = float(text)
        except ValueError:
            try:
                time_s = datetime.fromisoformat(text).timestamp()
            except ValueError:
                raise ValueError(f"line {number}: {text[:40]!r} is neither seconds nor an ISO 8601 time") from None
        if not math.isfinite(time_s):
            raise ValueError(f"line {number}: {text!r} is no time")
        times.append(time_s)
    if not times:
        raise ValueError("it names no time; write one a line, in seconds or as ISO 8601")
    times.sort()
    return Trace(tuple(time_s - times[0] for time_s in times))

"""Intended send times, in seconds from the start. Pure, and seeded.

The rate is always the mean: orders = rate x duration, whatever the profile. A profile's `spread` maps a share of the
orders (0 to 1) to the share of the duration by which they have been sent.
"""

import contextlib
import math
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from orderboard.option_values import parse_number, parse_whole_number

_ISO_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,6})?")


@dataclass(frozen=True)
class Constant:
    """An even rate."""

    def spread(self, share: float) -> float:
        """At equal distances."""
        return share


@dataclass(frozen=True)
class Ramp:
    """A straight line from zero to twice the mean rate."""

    def spread(self, share: float) -> float:
        """The root, because the number sent grows with the square of the time."""
        return math.sqrt(share)


@dataclass(frozen=True)
class Spike:
    """A base rate, and for a while `factor` times that. `at` and `lasts` are shares of the duration."""

    factor: float = 10.0
    at: float = 0.3
    lasts: float = 0.1

    def __post_init__(self) -> None:
        if not (1 < self.factor <= 1e6 and 0 <= self.at < 1 and self.lasts > 0 and self.at + self.lasts <= 1):
            raise ValueError(
                "a spike needs a factor above 1 (at most 1e6), and at and lasts within the duration (0 to 1)"
            )

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
    """Repeated ramps from zero to twice the mean rate."""

    teeth: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.teeth <= 1_000_000:
            raise ValueError("a sawtooth needs 1 to 1,000,000 teeth")

    def spread(self, share: float) -> float:
        """A ramp in each tooth."""
        tooth, within = divmod(share * self.teeth, 1)
        return (tooth + math.sqrt(within)) / self.teeth


@dataclass(frozen=True)
class Poisson:
    """A Poisson process: each order independent of the others. For a given number, that is sorted uniform times."""


@dataclass(frozen=True)
class Trace:
    """Recorded times, relative to the first."""

    times_s: tuple[float, ...]


Profile = Constant | Ramp | Spike | Sawtooth | Poisson | Trace
PROFILES: Final[dict[str, type[Constant | Ramp | Spike | Sawtooth | Poisson]]] = {
    each.__name__.lower(): each for each in (Constant, Ramp, Spike, Sawtooth, Poisson)
}


def send_times(profile: Profile, *, orders: int, duration_s: float, seed: int) -> Sequence[float]:
    """Return the intended time of each order, ascending. A trace has its own times."""
    match profile:
        case Trace(times_s=times_s):
            return times_s
        case Poisson():
            rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
            return sorted(rng.random() * duration_s for _ in range(orders))
        case shape:
            # Each order in the middle of its share, so that neither the start nor the end has one too many.
            return [shape.spread((number + 0.5) / orders) * duration_s for number in range(orders)]


def scaled(times_s: Sequence[float], scale: float) -> Sequence[float]:
    """Return `scale` times as many times in the same course: between two of them where there is none."""
    if scale == 1:
        return times_s
    found: list[float] = []
    last = len(times_s) - 1
    for number in range(round(len(times_s) * scale)):
        place = min(max((number + 0.5) / scale - 0.5, 0.0), float(last))
        before = int(place)
        after = min(before + 1, last)
        found.append(times_s[before] + (times_s[after] - times_s[before]) * (place - before))
    return found


def parse_profile(text: str) -> Profile:
    """Parse `spike` or `spike:factor=20,at=0.5,lasts=0.05`; raise ValueError with the reason."""
    name, _, rest = text.partition(":")
    if name not in PROFILES:
        raise ValueError(f"unknown profile; expected one of {', '.join(PROFILES)}, or use --trace FILE")
    known = {field.name: field.type for field in fields(PROFILES[name])}
    values: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            raise ValueError(f"{name} has no setting {key!r}; it has {', '.join(known) or 'no settings'}")
        try:
            values[key] = parse_whole_number(value) if known[key] is int else parse_number(value)
        except ValueError:
            raise ValueError(f"expected a number for {key}") from None
    return PROFILES[name](**values)


def parse_trace(lines: Iterable[str]) -> Trace:
    """Parse one time a line, in seconds or ISO 8601; empty lines and # comments are skipped. Raise ValueError."""
    times: list[float] = []
    for number, line in enumerate(lines, start=1):
        if not (text := line.strip()) or text.startswith("#"):
            continue
        try:
            times.append(_time_s(text))
        except ValueError:
            raise ValueError(f"line {number}: expected seconds or an ISO 8601 time, not {text[:40]!r}") from None
    if not times:
        raise ValueError("no send times; write one a line, in seconds or as ISO 8601")
    times.sort()
    return Trace(tuple(time_s - times[0] for time_s in times))


def _time_s(text: str) -> float:
    with contextlib.suppress(ValueError):
        return parse_number(text)
    if not _ISO_TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text).timestamp()

"""The services' own numbers, read from their /metrics, and rates made of two readings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import httpx

_LINE: Final = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>[0-9.e+-]+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT_S: Final = 0.8


@dataclass(frozen=True)
class Sample:
    """One number, with its labels."""

    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """Read the samples of an exposition."""
    return [
        Sample(found["name"], dict(_LABEL.findall(found["labels"] or "")), float(found["value"]))
        for found in _LINE.finditer(text)
    ]


def total(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """The sum of the samples of this name that have these labels."""
    return sum(
        each.value
        for each in samples
        if each.name == name and all(each.labels.get(key) == value for key, value in labels.items())
    )


def scrape(url: str | None) -> list[Sample] | None:
    """Read a service's numbers; None when it does not tell them."""
    if url is None:
        return None
    try:
        answer = httpx.get(f"{url}/metrics", timeout=_TIMEOUT_S, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError:
        return None
    return parse(answer.text)


class Meter:
    """Rates of growing counters. A counter that begins anew, as that of a new process does, counts from nought."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    def rate(self, name: str, value: float | None, at_s: float) -> float | None:
        """How much it grew a second since the last reading; None on the first, or when there is no reading."""
        if value is None:
            self._before.pop(name, None)
            return None
        before = self._before.get(name)
        self._before[name] = (at_s, value)
        if before is None or at_s <= before[0]:
            return None
        grown = value - before[1] if value >= before[1] else value
        return grown / (at_s - before[0])

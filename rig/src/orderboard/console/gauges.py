"""The services' own numbers, read from their /metrics, and counters that outlive a process."""

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
    """Growing counters. One that begins anew, as that of a new process does, goes on from where it was."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float]] = {}

    def total(self, name: str, value: float | None) -> float | None:
        """What the counter has come to, over all processes that had it; None when there is no reading."""
        if value is None:
            return None
        last, before = self._known.get(name, (0.0, 0.0))
        grown = value - last if value >= last else value
        self._known[name] = (value, before + grown)
        return before + grown

"""What was measured beside what was asked for, as Markdown or JSON. Values only."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from load import Contender


@dataclass(frozen=True)
class Figure:
    """One goal: at least, or at most, so much. `rounds` has a value for each round; what counts is their median."""

    name: str
    goal: float
    rounds: Sequence[float]
    unit: str = "x"
    at_most: bool = False
    detail: str = ""

    @property
    def measured(self) -> float:
        """The median."""
        return median(self.rounds)

    @property
    def met(self) -> bool:
        """Whether the median keeps to the goal."""
        return self.measured <= self.goal if self.at_most else self.measured >= self.goal

    def document(self) -> dict[str, Any]:
        """For JSON."""
        names = ("name", "goal", "unit", "at_most", "measured", "met", "detail")
        return {name: getattr(self, name) for name in names} | {"rounds": list(self.rounds)}

    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        spread = f"{_said(min(self.rounds))} - {_said(max(self.rounds))}"
        goal = f"{'<=' if self.at_most else '>='} {_said(self.goal)} {self.unit}"
        return (
            self.name,
            goal,
            f"{_said(self.measured)} {self.unit}",
            spread,
            "met" if self.met else "**missed**",
            self.detail,
        )


@dataclass(frozen=True)
class Speed:
    """How fast one engine did one thing."""

    operation: str
    engine: str
    rates: Sequence[float]
    costs_s: Sequence[float]
    server_busy: float
    client_busy: float

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "operation": self.operation,
            "engine": self.engine,
            "messages_per_s": list(self.rates),
            "server_cpu_s_per_1000": list(self.costs_s),
            "server_busy": self.server_busy,
            "client_busy": self.client_busy,
        }

    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        spread = f"{min(self.rates):,.0f} - {max(self.rates):,.0f}"
        rate, cost_s = f"{median(self.rates):,.0f}", f"{median(self.costs_s):.3f}"
        return self.operation, self.engine, rate, spread, cost_s, f"{self.server_busy:.0%}", f"{self.client_busy:.0%}"


@dataclass
class Result:
    """What a part found out."""

    figures: list[Figure] = field(default_factory=list)
    speeds: list[Speed] = field(default_factory=list)

    def __iadd__(self, other: Result) -> Result:
        self.figures += other.figures
        self.speeds += other.speeds
        return self

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "machine": machine(),
            "figures": [one.document() for one in self.figures],
            "speeds": [one.document() for one in self.speeds],
        }

    def markdown(self) -> str:
        """The tables."""
        lines = [machine(), ""]
        if self.figures:
            goals = ("", "goal", "measured", "from - to", "", "")
            lines += [*_table(goals, [one.cells() for one in self.figures]), ""]
        if self.speeds:
            heading = ("", "engine", "messages/s", "from - to", "CPU s for 1,000", "server busy", "client busy")
            lines += [*_table(heading, [one.cells() for one in self.speeds]), ""]
        return "\n".join(lines)


def speeds_of(contenders: Sequence[Contender]) -> list[Speed]:
    """The speeds of all measured operations, those that are alike together."""
    found = [
        Speed(
            operation.name,
            contender.label,
            operation.rates(),
            operation.costs_s(),
            operation.busy(),
            operation.client_busy(),
        )
        for contender in contenders
        for operation in contender.cycle
        if operation.is_measured
    ]
    names = list(dict.fromkeys(speed.operation for speed in found))
    return sorted(found, key=lambda speed: names.index(speed.operation))


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """One value by another, round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def machine() -> str:
    """Where this was measured."""
    processor = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    load = os.getloadavg()[2]
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}; load average of the last quarter of an hour, this bench included: {load:.1f}."
    )


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in (heading, *rows)) for place in range(len(heading))]
    for row in (heading, ["-" * max(width, 3) for width in widths], *rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"


def _said(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"

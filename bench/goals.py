"""Goals beside their measurements, the machine, and Markdown tables."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from orderboard.system.host import this_host


@dataclass(frozen=True)
class Goal:
    """A goal: the median of `rounds` is at least, or at most, `limit`; a difference counts in both directions."""

    name: str
    limit: float
    rounds: Sequence[float]
    unit: str = "x"
    at_most: bool = False
    detail: str = ""

    @property
    def measured(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def met(self) -> bool:
        """True if the median meets the goal."""
        return abs(self.measured) <= self.limit if self.at_most else self.measured >= self.limit

    def cells(self) -> tuple[str, str, str, str, str]:
        """Name, goal, median, range, and whether it is met."""
        spread = "once" if len(self.rounds) == 1 else f"{_rounded(min(self.rounds))} - {_rounded(max(self.rounds))}"
        goal = f"{'<=' if self.at_most else '>='} {_rounded(self.limit)} {self.unit}"
        return self.name, goal, f"{_rounded(self.measured)} {self.unit}", spread, "met" if self.met else "missed"

    def document(self) -> dict[str, object]:
        """The goal for --json."""
        names = ("name", "unit", "at_most", "measured", "met", "detail")
        return {name: getattr(self, name) for name in names} | {"goal": self.limit, "rounds": list(self.rounds)}


GOAL_COLUMNS = ("", "goal", "median", "from - to", "")


def markdown_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, in columns of equal width."""
    widths = [max(len(row[place]) for row in (heading, *rows)) for place in range(len(heading))]
    for row in (heading, ["-" * max(width, 3) for width in widths], *rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"


def machine() -> str:
    """The machine in one line, with the load of the last 15 minutes, which includes the benchmark."""
    host, load = this_host(), os.getloadavg()[2]
    return f"{host.processor}, {host.cpus} cores, {host.system}, Python {host.python}; load average {load:.1f}"


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The quotient of two sides in each round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"

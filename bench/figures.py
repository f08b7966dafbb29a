"""The goals, what was measured, and the table of both. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from orderboard.tables import plain_table
from rich.console import Console


@dataclass(frozen=True)
class Figure:
    """One goal: at least (or at most) so much. rounds has one value for each round; what counts is their median."""

    name: str
    goal: float
    rounds: tuple[float, ...]
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

    def document(self) -> dict[str, object]:
        """For --json."""
        return {
            "name": self.name,
            "goal": self.goal,
            "at_most": self.at_most,
            "unit": self.unit,
            "measured": self.measured,
            "rounds": list(self.rounds),
            "met": self.met,
            "detail": self.detail,
        }


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the table."""
    table = plain_table("Goals and what was measured (the median of the rounds)")
    for name, justify in (("", "left"), ("goal", "right"), ("measured", "right"), ("from - to", "right"), ("", "left")):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{'<=' if figure.at_most else '>='} {_said(figure.goal, figure.unit)}",
            _said(figure.measured, figure.unit),
            f"{_said(min(figure.rounds), '')} - {_said(max(figure.rounds), '')}",
            "met" if figure.met else "missed",
            style="" if figure.met else "yellow",
        )
    console.print()
    console.print(table)
    for figure in figures:
        console.print(f" {figure.name}: {figure.detail}", markup=False, soft_wrap=True)


def _said(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return f"{number} {unit}".strip()

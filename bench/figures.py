"""The goals, what was measured, and the table of both: for a terminal, for a document and for scripts. Values only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from orderboard.system.host import Host
from orderboard.terminal.tables import plain_table
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

    def cells(self) -> tuple[str, str, str, str, str]:
        """Name, goal, median, from - to, and whether it is met."""
        spread = "once" if len(self.rounds) == 1 else f"{_said(min(self.rounds), '')} - {_said(max(self.rounds), '')}"
        goal = f"{'<=' if self.at_most else '>='} {_said(self.goal, self.unit)}"
        return self.name, goal, _said(self.measured, self.unit), spread, "met" if self.met else "missed"

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


@dataclass(frozen=True)
class Measured:
    """Everything of one run. part_s is how long each part took, in seconds."""

    figures: Sequence[Figure]
    part_s: Mapping[str, float]
    rounds: int
    backend: str  # and its version
    machine: Host
    began_at: datetime

    def about(self) -> str:
        """On what, when, and how long it took."""
        took = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in self.part_s.items())
        machine = self.machine
        return (
            f"{self.backend}; {machine.processor}, {machine.cpus} cores, {machine.system}, Python {machine.python}; "
            f"{self.began_at:%Y-%m-%d}; {self.rounds} {'round' if self.rounds == 1 else 'rounds'}, "
            f"{sum(self.part_s.values()) / 60:.0f} minutes ({took})"
        )

    def document(self) -> dict[str, object]:
        """For --json."""
        return {
            "began_at": self.began_at.isoformat(timespec="seconds"),
            "backend": self.backend,
            "rounds": self.rounds,
            "machine": self.machine.model_dump(),
            "part_s": {name: round(seconds, 1) for name, seconds in self.part_s.items()},
            "figures": [each.document() for each in self.figures],
        }


_COLUMNS = ("", "goal", "median", "from - to", "")


def show(measured: Measured, console: Console) -> None:
    """Print the table for a terminal."""
    table = plain_table("Goals and what was measured (the median of the rounds)")
    for number, name in enumerate(_COLUMNS):
        table.add_column(name, justify="left" if number in (0, len(_COLUMNS) - 1) else "right")
    for figure in measured.figures:
        table.add_row(*figure.cells(), style="" if figure.met else "yellow")
    console.print()
    console.print(table)
    for figure in measured.figures:
        console.print(f" {figure.name}: {figure.detail}", markup=False, soft_wrap=True)
    console.print(f" {measured.about()}", markup=False, soft_wrap=True)


def markdown(measured: Measured) -> str:
    """The same as docs/performance.md has it."""
    return "\n".join(_markdown(measured)) + "\n"


def _markdown(measured: Measured) -> Iterator[str]:
    yield f"Measured on {measured.about()}."
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |".replace("|  |", "| |")
    yield "|---|---|---|---|---|"
    yield from (f"| {' | '.join(figure.cells())} |" for figure in measured.figures)
    yield ""
    yield from (f"- {figure.name}: {figure.detail}" for figure in measured.figures if figure.detail)


def _said(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return f"{number} {unit}".strip()

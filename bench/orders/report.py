"""The results of bench.py: a table for a terminal, Markdown and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from goals import GOAL_COLUMNS, Goal, machine, markdown_table
from orderboard.system.host import this_host
from orderboard.terminal.tables import plain_table
from rich.console import Console


@dataclass(frozen=True)
class Report:
    """The results of a run. `part_s` is the duration of each part, in seconds."""

    goals: Sequence[Goal]
    part_s: Mapping[str, float]
    rounds: int
    backend: str  # with its version
    began_at: datetime

    def about(self) -> str:
        """The backend, the machine, the date and the durations."""
        took = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in self.part_s.items())
        return (
            f"{self.backend}; {machine()}; {self.began_at:%Y-%m-%d}; {self.rounds} "
            f"{'round' if self.rounds == 1 else 'rounds'}, {sum(self.part_s.values()) / 60:.0f} minutes ({took})"
        )

    def document(self) -> dict[str, object]:
        """The report for --json."""
        return {
            "began_at": self.began_at.isoformat(timespec="seconds"),
            "backend": self.backend,
            "rounds": self.rounds,
            "machine": this_host().model_dump(),
            "part_s": {name: round(seconds, 1) for name, seconds in self.part_s.items()},
            "figures": [goal.document() for goal in self.goals],
        }

    def show(self, console: Console) -> None:
        """Print the report on a terminal."""
        table = plain_table("Goals and measurements (medians of the rounds)")
        for number, name in enumerate(GOAL_COLUMNS):
            table.add_column(name, justify="left" if number in (0, len(GOAL_COLUMNS) - 1) else "right")
        for goal in self.goals:
            table.add_row(*goal.cells(), style="" if goal.met else "yellow")
        console.print()
        console.print(table)
        for line in (*(f"{goal.name}: {goal.detail}" for goal in self.goals), self.about()):
            console.print(f" {line}", markup=False, soft_wrap=True)

    def markdown(self) -> str:
        """The report as in docs/performance.md."""
        table = markdown_table(GOAL_COLUMNS, [goal.cells() for goal in self.goals])
        details = (f"- {goal.name}: {goal.detail}" for goal in self.goals if goal.detail)
        return "\n".join([f"Measured on {self.about()}.", "", *table, "", *details, ""])

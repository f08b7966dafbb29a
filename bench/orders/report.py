"""The results of bench.py: a table for a terminal, Markdown and JSON."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from goals import GOAL_COLUMNS, Goal, machine, markdown_table
from orderboard.system.host import this_host
from orderboard.terminal.progress import result_console
from orderboard.terminal.tables import plain_table


def parsed(parser: ArgumentParser) -> Namespace:
    """Parse the arguments of a bench, with those of every report."""
    parser.add_argument("--rounds", type=int, default=5)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print the table as in docs/performance.md")
    form.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    return given


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

    def print(self, given: Namespace) -> None:
        """Print it in the form that was asked for."""
        if given.json:
            json.dump(self.document(), sys.stdout, indent=2)
        elif given.markdown:
            sys.stdout.write(self.markdown())
        else:
            self._show()

    def _show(self) -> None:
        console = result_console()
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

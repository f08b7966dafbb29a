"""The results of compare.py as Markdown and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engines.load import Contender, Operation
from goals import GOAL_COLUMNS, Goal, machine, markdown_table

SPEED_COLUMNS = ("", "engine", "messages/s", "from - to", "CPU s for 1,000", "server busy", "client busy")


@dataclass
class Report:
    """The results of one part or several."""

    goals: list[Goal] = field(default_factory=list)
    speeds: list[tuple[str, Operation]] = field(default_factory=list)  # the engine, and what it did

    def __iadd__(self, other: "Report") -> "Report":
        self.goals += other.goals
        self.speeds += other.speeds
        return self

    def document(self) -> dict[str, Any]:
        """The report for --json."""
        speeds = [one.document() | {"engine": engine} for engine, one in self.speeds]
        return {"machine": machine(), "figures": [one.document() for one in self.goals], "speeds": speeds}

    def markdown(self) -> str:
        """The report as tables."""
        lines = [machine(), ""]
        if self.goals:
            lines += [*markdown_table((*GOAL_COLUMNS, ""), [(*one.cells(), one.detail) for one in self.goals]), ""]
        if self.speeds:
            lines += [*markdown_table(SPEED_COLUMNS, [one.cells(engine) for engine, one in self.speeds]), ""]
        return "\n".join(lines)


def speeds_of(contenders: Sequence[Contender]) -> list[tuple[str, Operation]]:
    """The engine and operation of all measurements, grouped by operation."""
    found = [(each.label, one) for each in contenders for one in each.cycle if one.is_measured]
    names = list(dict.fromkeys(operation.name for _, operation in found))
    return sorted(found, key=lambda speed: names.index(speed[1].name))

"""The results of compare.py as Markdown and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from engines.load import Contender
from goals import GOAL_COLUMNS, Goal, machine, markdown_table


@dataclass(frozen=True)
class Speed:
    """The speed of one operation on one engine. `rates` are messages a second, `costs_s` CPU seconds for 1,000."""

    operation: str
    engine: str
    rates: Sequence[float]
    costs_s: Sequence[float]
    server_busy: float
    client_busy: float

    def document(self) -> dict[str, Any]:
        """The speed for --json."""
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
class Report:
    """The results of one part or several."""

    goals: list[Goal] = field(default_factory=list)
    speeds: list[Speed] = field(default_factory=list)

    def __iadd__(self, other: "Report") -> "Report":
        self.goals += other.goals
        self.speeds += other.speeds
        return self

    def document(self) -> dict[str, Any]:
        """The report for --json."""
        goals, speeds = ([one.document() for one in some] for some in (self.goals, self.speeds))
        return {"machine": machine(), "figures": goals, "speeds": speeds}

    def markdown(self) -> str:
        """The report as tables."""
        lines = [machine(), ""]
        if self.goals:
            lines += [*markdown_table((*GOAL_COLUMNS, ""), [(*one.cells(), one.detail) for one in self.goals]), ""]
        if self.speeds:
            heading = ("", "engine", "messages/s", "from - to", "CPU s for 1,000", "server busy", "client busy")
            lines += [*markdown_table(heading, [one.cells() for one in self.speeds]), ""]
        return "\n".join(lines)


def speeds_of(contenders: Sequence[Contender]) -> list[Speed]:
    """The speeds of all measured operations, grouped by operation."""
    found = [
        Speed(one.name, contender.label, one.rates(), one.costs_s(), one.server_busy(), one.client_busy())
        for contender in contenders
        for one in contender.cycle
        if one.is_measured
    ]
    names = list(dict.fromkeys(speed.operation for speed in found))
    return sorted(found, key=lambda speed: names.index(speed.operation))

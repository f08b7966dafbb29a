"""This checkout against another revision: both are measured in turns in one run, and compared as ratios."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from goals import GOAL_COLUMNS, Goal, machine, markdown_table, ratios
from interruptible import exit_code_of
from orderboard.errors import RigError
from orderboard.terminal.progress import Screen, progress_screen, result_console
from orderboard.terminal.tables import plain_table
from revision import Side, here, side_of

_SIDE: Final = "one_side.py"
_PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- against: begin -->", "<!-- against: end -->"
_STOP_WITHIN_S: Final = 30
_ERROR_CHARACTERS: Final = 3_000


@dataclass(frozen=True)
class Part:
    """A measurement of a script beside this file. once: in the first round only."""

    orders: int
    quick_orders: int
    once: bool = False
    script: str = _SIDE


PARTS: Final[Mapping[str, Part]] = {
    "full": Part(5_000, 1_000),
    "watched": Part(2_000, 500),
    "accept": Part(4_000, 2_000),
    "drain": Part(4_000, 2_000),
    "rows": Part(20_000, 5_000),
    "calm": Part(1_200, 450),
    "generator": Part(10_000, 2_000, script="one_generator.py"),
    "memory": Part(100_000, 10_000, once=True),
}


@dataclass(frozen=True)
class Row:
    """A line of the table: a value of a part, and the limit of its ratio; of the value itself if it is `own`."""

    text: str
    part: str
    value: str
    unit: str
    limit: float
    at_most: bool = True
    own: bool = False


ROWS: Final = (
    Row("end to end, orders a second", "full", "orders_per_s", "", 2.0, at_most=False),
    Row("full load: product, 1,000 orders", "full", "product_s", "CPU s", 0.5),
    Row("full load: rig", "full", "rig_s", "CPU s", 0.5),
    Row("100/s: product and rig, 1,000 orders", "watched", "all_s", "CPU s", 0.5),
    Row("100/s: product", "watched", "product_s", "CPU s", 0.5),
    Row("100/s: rig", "watched", "rig_s", "CPU s", 0.5),
    Row("100/s: p50 to the outcome", "watched", "p50_ms", "ms", 0.4),
    Row("100/s: p99 to the outcome", "watched", "p99_ms", "ms", 1.0),
    Row("order-api, accepted a second", "accept", "accepted_per_s", "", 1.67, at_most=False),
    Row("order-api, p99 to the 202", "accept", "p99_ms", "ms", 1.0),
    Row("order-api, 1,000 orders", "accept", "api_s", "CPU s", 0.6),
    Row("worker's drain, orders a second", "drain", "orders_per_s", "", 1.8, at_most=False),
    Row("its worker, 1,000 orders", "drain", "worker_s", "CPU s", 0.55),
    Row("BatchExecuteStatement of 25, rows a second", "rows", "rows_per_s", "", 5.0, at_most=False),
    Row("its backend, 1,000 rows", "rows", "backend_s", "CPU s", 0.2),
    Row("p99 to the 202, worker stopped : running", "calm", "stopped_to_running", "x", 1.1, own=True),
    Row("1,000/s: generator and live view", "generator", "both_s", "CPU s", 0.5),
    Row("memory, idle", "memory", "idle_mb", "MB", 0.75),
    Row("memory, a tenth of the orders", "memory", "tenth_mb", "MB", 0.55),
    Row("memory, all orders : a tenth", "memory", "growth", "x", 1.05, own=True),
)
_COLUMNS: Final = ("", "before", "here", "goal", "ratio", *GOAL_COLUMNS[3:])


@dataclass
class Comparison:
    """The values of complete rounds: by part, the two sides' values of each round."""

    before: Side
    quick: bool
    began: float = field(default_factory=time.time)
    rounds: dict[str, list[tuple[dict[str, float], dict[str, float]]]] = field(default_factory=dict)

    def goals(self) -> Iterator[tuple[Row, list[float], list[float], Goal]]:
        """Every row with a measurement, the values of both sides, and its goal."""
        for row in ROWS:
            if found := self.rounds.get(row.part):
                before, now = ([side[row.value] for side in sides] for sides in zip(*found, strict=True))
                measured = now if row.own else ratios(now, before)
                yield row, before, now, Goal(row.text, row.limit, measured, at_most=row.at_most)

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of the table."""
        return [
            (goal.name, _value(before, row.unit), _value(now, row.unit), *goal.cells()[1:])
            for row, before, now, goal in self.goals()
        ]

    def about(self) -> str:
        """The revision, the machine and the duration."""
        rounds = max(map(len, self.rounds.values()))
        return (
            f"Before is {self.before.name}; {machine()}; {time.strftime('%Y-%m-%d')}; {rounds} "
            f"{'round' if rounds == 1 else 'rounds'}{' with few orders' if self.quick else ''}, "
            f"{(time.time() - self.began) / 60:.0f} minutes"
        )

    def markdown(self) -> str:
        """The table as in docs/performance.md."""
        return "\n".join([*markdown_table(_COLUMNS, self.rows()), "", f"{self.about()}."])

    def document(self) -> dict[str, object]:
        """The comparison for --json."""
        rounds = {
            part: [{"before": before, "here": now} for before, now in pairs] for part, pairs in self.rounds.items()
        }
        figures = [goal.document() for *_, goal in self.goals()]
        return {"about": self.about(), "rounds": rounds, "figures": figures}

    def write(self) -> None:
        """Replace the table in docs/performance.md."""
        head, _, rest = _PAGE.read_text().partition(_BEGIN)
        _, _, tail = rest.partition(_END)
        _PAGE.write_text(f"{head}{_BEGIN}\n{self.markdown()}\n{_END}{tail}")

    def show(self) -> None:
        """Print the table."""
        table = plain_table("This checkout against another revision (medians of the rounds)")
        for number, name in enumerate(_COLUMNS):
            table.add_column(name, justify="left" if number in (0, len(_COLUMNS) - 1) else "right")
        for row in self.rows():
            table.add_row(*row, style="" if row[-1] == "met" else "yellow")
        console = result_console()
        console.print(table)
        console.print(f" {self.about()}", markup=False, soft_wrap=True)


def main() -> int:
    """Measure and print. Exit 0 also if goals are missed; 130 if interrupted, with what was measured until then."""
    given = _arguments()
    comparison: Comparison | None = None

    def measure() -> None:
        nonlocal comparison
        with progress_screen() as screen:
            with screen.task(f"Revision {given.revision}"):
                comparison = Comparison(side_of(given.revision), given.quick)
            _measure(comparison, given.parts, given.rounds, screen)

    code = exit_code_of("against", measure)
    if comparison is not None and comparison.rounds:
        if given.json:
            json.dump(comparison.document(), sys.stdout, indent=2)
        else:
            comparison.show()
        if given.write and code == 0:
            comparison.write()
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", metavar="REV", help="a commit, tag or branch; or the folder of another checkout")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5; memory is measured once")
    parser.add_argument("--parts", type=_parts, default=list(PARTS), help=f"some of {','.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer orders: shows that it works, not how fast")
    parser.add_argument("--json", action="store_true", help="print every value as JSON")
    parser.add_argument("--write", action="store_true", help=f"also write the table to docs/{_PAGE.name}")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error(f"--rounds {given.rounds}: expected at least 1")
    return given


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"{','.join(unknown)}: expected some of {','.join(PARTS)}")
    return parts


def _measure(comparison: Comparison, parts: Sequence[str], rounds: int, screen: Screen) -> None:
    """Measure every part in every round. A different side goes first in each round."""
    for number in range(1, rounds + 1):
        for name in parts:
            if PARTS[name].once and number > 1:
                continue
            orders = PARTS[name].quick_orders if comparison.quick else PARTS[name].orders
            sides = [comparison.before, here()]
            found: dict[str, dict[str, float]] = {}
            with screen.task(f"Round {number} of {rounds}: {name}") as task:
                for side in sides if number % 2 else reversed(sides):
                    task.detail(side.name)
                    found[side.name] = _measured(side, name, orders)
            comparison.rounds.setdefault(name, []).append((found[sides[0].name], found[sides[1].name]))


def _measured(side: Side, part: str, orders: int) -> dict[str, float]:
    """The values of one part on one side, in a process that starts a system for it; raise RigError if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(side.root / "bench")}
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            [str(side.python), "-P", str(Path(__file__).with_name(PARTS[part].script)), part, str(orders)],
            cwd=side.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # so that Ctrl-C ends it once, from here
        ) as process:
            try:
                answer, _ = process.communicate()
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                process.wait(_STOP_WITHIN_S)
                raise
        if process.returncode != 0:
            errors.seek(0)
            raise RigError(f"{part} failed on {side.name}:\n{errors.read()[-_ERROR_CHARACTERS:]}")
    values: dict[str, float] = json.loads(answer)
    return values


def _value(values: Sequence[float], unit: str) -> str:
    value = median(values)
    return f"{value:,.{0 if value >= 100 else 2}f} {unit}".strip()


if __name__ == "__main__":
    sys.exit(main())

"""An experiment in the terminal: a column for each party, and what the engine did beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orderboard.lab.experiment import Experiment
from orderboard.lab.result import Moment, Outcome, Result
from orderboard.lab.steps import Call, Finish, ReceiveAll, Requests, Serve, Start, Step, Until
from orderboard.terminal.tables import verdict

_TIME_WIDTH: Final = 9
_LEAST_COLUMN: Final = 18
_STYLES: Final = {"step": "bold", "wait": "cyan", "engine": "yellow", "journal": "dim"}
_YOU: Final = "you"


def parties(experiment: Experiment) -> list[str]:
    """Return the names of all parties but "you", in the order of their first step."""
    found = (_party(step) for step in experiment.all_steps())
    return [name for name in dict.fromkeys(found) if name not in ("", _YOU)]


def _party(step: Step) -> str:
    match step:
        case Call(party=party) | ReceiveAll(party=party) | Serve(party=party):
            return party.name
        case Start(call) | Finish(call) | Until(call=call):
            return call.party.name
        case Requests(server=server):
            return server.party.name
        case _:
            return ""


class Timeline:
    """Prints the moments of a run as they come."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._console = console
        self._names = list(names)
        room = console.width - _TIME_WIDTH
        self._columns = bool(names) and room // len(names) >= _LEAST_COLUMN
        self._width = room // max(1, len(names))
        self._unicode = console.encoding.lower().startswith("utf")

    def head(self) -> None:
        """Print the names of the columns."""
        if self._columns:
            self._console.print(self._row("time", dict(zip(self._names, self._names, strict=True)), style="dim"))

    def show(self, moment: Moment) -> None:
        """Print one moment."""
        match moment.kind:
            case "step":
                self._console.print()
                self._line("", moment.text, "bold")
            case "picture":
                self._console.print()
                self._console.print(Text(moment.text), soft_wrap=True)
                self._console.print()
            case "check":
                sign = ("✓" if moment.detail else "✗") if self._unicode else ("ok:" if moment.detail else "NOT OK:")
                self._line("", f"{sign} {moment.text}", "green" if moment.detail else "bold red")
            case "journal":
                self._line("", f"{'·' if self._unicode else '-'} {moment.party}: {moment.text}", "dim")
            case _ if self._columns and moment.party in self._names:
                self._console.print(self._row(_seconds(moment.at_s), {moment.party: moment.text}))
            case _:
                who = f"{moment.party}: " if moment.party not in ("", _YOU) else ""
                style = "dim" if moment.party == _YOU else _STYLES.get(moment.kind, "")
                self._line(_seconds(moment.at_s), f"{who}{moment.text}", style)

    def _row(self, at: str, texts: dict[str, str], style: str = "") -> Table:
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(width=_TIME_WIDTH - 1, justify="right", style="dim")
        for _ in self._names:
            row.add_column(width=self._width - 1, overflow="fold")
        row.add_row(at, *(Text(texts.get(name, ""), style=style) for name in self._names))
        return row

    def _line(self, at: str, text: str, style: str) -> None:
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(width=_TIME_WIDTH - 1, justify="right", style="dim")
        row.add_column(overflow="fold")
        row.add_row(at, Text(text, style=style))
        self._console.print(row)


def show_outcome(console: Console, result: Result) -> None:
    """Print the outcome, and what it means."""
    console.print()
    console.print(verdict(console, sentence(result), good=result.outcome is Outcome.REPRODUCED))
    for each in result.left_behind:
        console.print(Text(f"   Left behind: {each}", style="bold yellow"))
    console.print()
    console.print(" [bold]What this means for your code[/bold]")
    console.print(Text(f" {result.means}"))


def sentence(result: Result) -> str:
    """Return the outcome in a line."""
    where = f"on {result.backend}"
    match result.outcome:
        case Outcome.REPRODUCED:
            count = len(result.checks)
            return f"Reproduced {where}: {f'all {count} checks hold' if count > 1 else 'the check holds'}."
        case Outcome.DIFFERS:
            return f"Differs {where}: {result.reason}"
        case Outcome.CANNOT_OCCUR:
            return f"Cannot occur {where}: {result.reason}"
        case Outcome.BROKEN_OFF:
            return "Broken off." if result.left_behind else "Broken off. What it had made is removed."


def _seconds(at_s: float) -> str:
    return f"{at_s:,.1f} s"

"""`orderboard compare`: two bursts, or groups of repeated bursts, figure by figure."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orderboard.cli.options import JsonOption
from orderboard.errors import RigError, UsageError
from orderboard.terminal.progress import print_json, result_console
from orderboard.terminal.tables import plain_table, verdict

if TYPE_CHECKING:
    from orderboard.burst.model import Interval
    from orderboard.burst.runs.comparison import Comparison, Figure
    from orderboard.burst.runs.conditions import Condition

CONDITION_HOLDS: Final = 99
EXAMPLES: Final = (
    "orderboard compare before after",
    "orderboard compare 2026-11-03_10-20-30 latest --fail-if 'accept_p99>1.1x' --fail-if 'accepted_per_s<0.95x'",
    "orderboard compare baseline/ results/ --fail-if 'end_to_end_p99>1.2x' --certain --html compare.html",
)
_SHOWN_RATIO: Final = 1000
_RUNS: Final = "A run's name or its beginning, `latest`, a tag of repeated runs, or a folder with one or several runs."


def compare(
    before: Annotated[str, typer.Argument(metavar="A", help=_RUNS)],
    after: Annotated[str, typer.Argument(metavar="B", help="The same, for what is compared with A.")],
    *,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            help="Exit 99 when B / A is past this, such as 'accept_p99>1.1x' or 'accepted_per_s<0.9x', with the "
            "metrics of `burst --expect`, also of one kind or stream: 'accept_p99{kind=express}>1.1x'. Repeatable.",
            metavar="METRIC>FACTORx",
            show_default=False,
        ),
    ] = None,
    certain: Annotated[
        bool, typer.Option("--certain", help="--fail-if holds only if all of the ratio's interval is past the factor.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page with the charts of both over each other.", show_default=False),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="Write the figures as Markdown, for a pull request.", show_default=False),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Compare two bursts, or groups of repeated bursts: ratios with confidence intervals.

    Make a group with `burst --repeat N` or a tag. Exit 0: compared, and no --fail-if holds. 1: a burst is not valid,
    so its figures prove nothing. 2: wrong usage. 99: a --fail-if holds.
    """
    from orderboard.burst.export.markdown import comparison_markdown
    from orderboard.burst.runs.comparison import compare as compared
    from orderboard.burst.runs.comparison import figure, lacking
    from orderboard.burst.runs.conditions import parse_condition
    from orderboard.burst.runs.kept import Group, find_runs
    from orderboard.burst.runs.pages import comparison_page
    from orderboard.option_values import parsed

    conditions = [parsed("--fail-if", parse_condition, text) for text in fail_if or ()]
    groups = [Group(name, find_runs(name)) for name in (before, after)]
    if shared := {run.folder.resolve() for run in groups[0].runs} & {run.folder.resolve() for run in groups[1].runs}:
        raise UsageError(f"{before} and {after} share {min(shared).name}: name different runs.")
    for each in conditions:
        if (run := lacking(each.metric, *groups)) is not None:
            raise UsageError(f"--fail-if {each}: {run} has no {each.metric}, so it cannot be compared.")
    found = compared(*groups)
    figures = {each: figure(each.metric, *groups) for each in conditions}
    if certain and (unclear := next((each for each in figures.values() if each.low is None), None)) is not None:
        raise UsageError(f"--certain: {unclear.name} has no interval. {found.method}")
    held = {each: each.holds(figures[each], certain=certain) for each in conditions}
    if html is not None:
        _write("--html", html, comparison_page(found, *groups))
    if markdown is not None:
        _write("--markdown", markdown, comparison_markdown(found, held))
    if json_output:
        results = [{"text": str(each), "holds": held[each]} for each in conditions]
        print_json({**json.loads(found.model_dump_json()), "conditions": results})
    else:
        _show(found, figures, held, result_console())
    if any(not summary.verdict.good for group in groups for summary in group.summaries):
        raise typer.Exit(1)
    raise typer.Exit(CONDITION_HOLDS if any(held.values()) else 0)


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise RigError(f"{option} {path}: {exc.strerror}.") from exc


def _show(
    found: "Comparison", figures: "dict[Condition, Figure]", held: "dict[Condition, bool]", console: Console
) -> None:
    console.print()
    for letter, side in (("A", found.before), ("B", found.after)):
        runs = side.runs[0] if len(side.runs) == 1 else f"{side.name}, {len(side.runs)} runs"
        console.print(f" {letter}: {runs}", markup=False)
    console.print()
    console.print(_table(found))
    console.print(Text(f" {found.method}", style="dim"))
    for kind, intro in (
        ("plan", "Not comparable as they are, another plan"),
        ("machine", "Not comparable as they are, another machine"),
        ("version", "Other versions"),
        ("doubt", "In doubt"),
    ):
        texts = [each.text for each in found.differences if each.kind == kind]
        if texts:
            style = "yellow" if kind != "version" else "dim"
            console.print(Text(f" {intro}: {'; '.join(texts)}", style=style))
    if held:
        console.print()
    for condition, holds in held.items():
        close = ", but the interval has values on both sides" if condition.is_close(figures[condition]) else ""
        text = f"{condition}: {_times(figures[condition].ratio)}{close}"
        console.print(verdict(console, text, good=not holds))


def _table(found: "Comparison") -> Table:
    single = all(each.low is None for each in found.figures)
    table = plain_table("Figures", "", numbers=("A", "B", "B / A"))
    if single:
        table.add_column("within run A", justify="right")
        table.add_column("within run B", justify="right")
    else:
        table.add_column("95 % interval", justify="right")
        table.add_column("")
    for each in found.figures:
        if not any((*each.before, *each.after)):
            continue
        changed = "" if not each.differs else "bold"
        row = [each.name, _value(each.before_mean), _value(each.after_mean), _times(each.ratio)]
        if single:
            row += ["" if found is None else f"{found.low_ms:,.1f} to {found.high_ms:,.1f}" for found in _within(each)]
        else:
            row += [
                "" if each.low is None or each.high is None else f"{_times(each.low)} to {_times(each.high)}",
                "differs" if each.differs else "",
            ]
        table.add_row(*row, style=changed)
    return table


def _within(figure: "Figure") -> "tuple[Interval | None, ...]":
    return figure.before_within, figure.after_within


def _value(value: float) -> str:
    """A value with four digits that count."""
    if not math.isfinite(value):
        return "none"
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2 if value >= 1 else 4
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _times(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "from 0"
    return f"{ratio:.2f}x" if ratio < _SHOWN_RATIO else f"over {_SHOWN_RATIO:,}x"

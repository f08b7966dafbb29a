"""`orderboard bursts`: the runs that were kept, their tags and notes."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from rich.console import Console
from rich.text import Text

from orderboard.cli.options import JsonOption
from orderboard.errors import UsageError
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import confirm, print_json, result_console
from orderboard.terminal.tables import plain_table, verdict

if TYPE_CHECKING:
    from orderboard.burst.model import Latency, Summary
    from orderboard.burst.runs.kept import KeptRun

_RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's name or its beginning, `latest`, or its folder.")
]
_SHOWN_RUNS: Final = 40


def list_runs(
    context: typer.Context,
    *,
    tag: Annotated[str | None, typer.Option(help="Only runs with this tag.", metavar="TAG", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All runs, not only the newest forty.")] = False,
    json_output: JsonOption = False,
) -> None:
    """List the bursts that were kept, the newest last; tag, note and remove them."""
    if context.invoked_subcommand is not None:
        return
    from orderboard.burst.runs.folders import runs_folder
    from orderboard.burst.runs.kept import kept_runs
    from orderboard.burst.runs.pages import INDEX_FILE

    runs = [run for run in kept_runs() if tag is None or tag in run.summary.tags]
    if json_output:
        print_json([_facts(run) for run in runs])
        return
    console = result_console()
    if not runs:
        console.print(f" No run{'' if tag is None else f' has the tag {tag}'} in {runs_folder()}.", soft_wrap=True)
        return
    shown = runs if every else runs[-_SHOWN_RUNS:]
    columns = ("orders", "in/s", "accept p99", "whole p99", "drain")
    title = f"{len(runs)} burst{'' if len(runs) == 1 else 's'} in {runs_folder()}"
    table = plain_table(title, "run", numbers=columns)
    table.columns[0].no_wrap = True
    table.add_column("load, tags, note", overflow="fold")
    for run in shown:
        table.add_row(_name(run, console), *_figures(run), _words(run))
    console.print()
    console.print(table)
    console.print(f" With trends: {runs_folder() / INDEX_FILE}", markup=False, soft_wrap=True)
    if len(shown) < len(runs):
        console.print(f" {len(runs) - len(shown)} older runs: add --all.")
    if len(runs) > 1:
        console.print(
            to_paste(f"\n Compare two: orderboard compare {runs[-2].name} {runs[-1].name}"),
            markup=False,
            soft_wrap=True,
        )


def tag_run(
    run: _RunArgument,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Runs with the same tag are a group.")],
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags away.")] = False,
) -> None:
    """Tag a run, or take tags away. Runs with the same tag are a group, which `compare` takes as repetitions."""
    from orderboard.burst.runs.kept import change_run, find_runs, parse_tag
    from orderboard.option_values import parsed

    named = [parsed("TAG", parse_tag, tag) for tag in tags]
    for found in find_runs(run):
        kept = [tag for tag in found.summary.tags if tag not in named] + ([] if remove else named)
        changed = change_run(found, tags=list(dict.fromkeys(kept)))
        _refresh(changed)
        _say(f"{changed.name}: {', '.join(changed.summary.tags) or 'no tags'}")


def note_run(
    run: _RunArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note; it replaces an earlier one.")],
) -> None:
    """Write a note to a run, which the list and its report show; an empty text removes it."""
    from orderboard.burst.runs.kept import change_run, one_run

    changed = change_run(one_run(run), note=text.strip())
    _refresh(changed)
    _say(f"{changed.name}: {changed.summary.note or 'no note'}")


def remove_runs(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Names or their beginnings, `latest`, folders, or tags.")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove runs for good, after a confirmation."""
    from orderboard.burst.runs.kept import find_runs, remove_run

    found = {run.folder.resolve(): run for text in runs for run in find_runs(text)}
    names = "\n".join(f"  {run.folder}  ({run.summary.settings.orders:,} orders)" for run in found.values())
    confirm(f"These runs will be removed for good:\n{names}", yes=yes)
    for run in found.values():
        remove_run(run)
        _refresh(run)
    _say(f"{len(found)} removed")


def write_index_page(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="The folder of the runs.", show_default=".orderboard/bursts")
    ] = None,
) -> None:
    """Write index.html with all runs of a folder and their trends; a burst without --out does so by itself."""
    from orderboard.burst.runs.folders import runs_folder
    from orderboard.burst.runs.kept import kept_runs
    from orderboard.burst.runs.pages import write_index

    folder = folder or runs_folder()
    if not kept_runs(folder):
        raise UsageError(f"{folder}: no run is in this folder. Make one: orderboard burst")
    _say(f"{write_index(folder)}")


def print_schema(
    document: Annotated[
        Literal["run", "comparison", "config"],
        typer.Argument(help="run: summary.json. comparison: of `compare --json`. config: burst.toml, as JSON."),
    ] = "run",
) -> None:
    """Print the JSON Schema of a document."""
    from orderboard.burst.runs.schema import schema_text

    print(schema_text(document), end="")


def _refresh(run: "KeptRun") -> None:
    """Write the index beside a run again, if there is one."""
    from orderboard.burst.runs.pages import INDEX_FILE, write_index

    if (run.folder.parent / INDEX_FILE).exists():
        write_index(run.folder.parent)


def _facts(run: "KeptRun") -> dict[str, object]:
    return {"name": run.name, "folder": str(run.folder), "summary": run.summary.document()}


def _name(run: "KeptRun", console: Console) -> Text:
    return verdict(console, run.name, good=run.summary.verdict.good)


def _figures(run: "KeptRun") -> tuple[str, ...]:
    summary = run.summary
    p99s = (_p99(summary.accept), _p99(summary.end_to_end))
    drain = f"{summary.drain_s:.1f} s" if summary.verdict.basis == "ledger" else ""
    return f"{summary.settings.orders:,}", f"{summary.accepted_per_s:,.0f}", *p99s, drain


def _words(run: "KeptRun") -> Text:
    tags = " ".join(f"#{tag}" for tag in run.summary.tags)
    return Text("; ".join(filter(None, (_load(run.summary), tags, run.summary.note))))


def _load(summary: "Summary") -> str:
    settings = summary.settings
    backend = "" if settings.backend == "embedded" else f" on {settings.backend}"
    return f"{settings.profile}, {settings.duration_s:g} s{backend}"


def _p99(found: "Latency | None") -> str:
    return "" if found is None else f"{found.p99_ms:,.0f} ms"


def _say(text: str) -> None:
    result_console().print(f" {text}", markup=False, soft_wrap=True)


# Name, command and examples of each subcommand.
COMMANDS: Final = (
    (
        "tag",
        tag_run,
        ("orderboard bursts tag latest before-the-change", "orderboard bursts tag latest slow --remove"),
    ),
    ("note", note_run, ("orderboard bursts note latest 'with the new index'",)),
    (
        "remove",
        remove_runs,
        ("orderboard bursts remove 2026-11-03_10-20-30", "orderboard bursts remove before-the-change --yes"),
    ),
    ("index", write_index_page, ("orderboard bursts index", "orderboard bursts index results/")),
    ("schema", print_schema, ("orderboard bursts schema > burst.schema.json", "orderboard bursts schema config")),
)
EXAMPLES: Final = ("orderboard bursts", "orderboard bursts --tag before-the-change --json")

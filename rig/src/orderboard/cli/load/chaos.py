"""`orderboard chaos`: random faults under load, run after run, and a verdict on every order."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from orderboard.chaos.draw import KINDS
from orderboard.cli.options import JsonOption
from orderboard.terminal.progress import error_console, result_console
from orderboard.terminal.tables import plain_table, verdict

if TYPE_CHECKING:
    from orderboard.chaos.results import ChaosResult, Total
    from orderboard.chaos.run import ChaosRun

EXAMPLES: Final = (
    "orderboard chaos --seed 7",
    "orderboard chaos --orders 50000 --faults 60 --runs 20 --results chaos.jsonl",
)
_SHOWN_FAULTS: Final = 40


def chaos(
    *,
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same seed gives the same orders and the same faults.")
    ] = 1,
    orders: Annotated[int, typer.Option(min=1, max=5_000_000, metavar="N", help="Number of orders in a run.")] = 10_000,
    faults: Annotated[int, typer.Option(min=0, max=100_000, metavar="N", help="Number of faults in a run.")] = 30,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=10_000,
            metavar="MINUTES",
            help="Length of the load; by default as long as 200 orders a second and a fault every 2 s take.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="N", help="Number of runs, with the seeds from --seed on.")
    ] = 1,
    without: Annotated[
        list[str] | None,
        typer.Option(help=f"Leave out a kind of fault: {', '.join(KINDS)}. Repeatable.", metavar="KIND"),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Add each run's result to this file, as a line of JSON; the runs in it are added up.",
            metavar="FILE",
            show_default=".orderboard/chaos/results.jsonl",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the files of a single run.", metavar="FOLDER", show_default=".orderboard/chaos/TIME_SEED"
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Draw faults from a seed, inject them into a system under load, and verify every order.

    Kills of the backend, of order-api and of workers; frozen and stopped workers; duplicates, reordering and missed
    polls; throttling, slow calls, errors and silence after success; a full disk, once in each run. Exit 0: every run
    was valid. 1: one was not; the runs end with it. Ctrl-C keeps the results of the runs that have ended.
    """
    from orderboard.chaos.results import append, read, total
    from orderboard.chaos.run import plan_run, run
    from orderboard.errors import UsageError
    from orderboard.system.workspace import find_workspace

    if out is not None and runs > 1:
        raise UsageError("--out is for a single run. Leave it out, or leave out --runs.")
    path = results or find_workspace().state_dir / "chaos" / "results.jsonl"
    read(path)  # whether it can be added to
    valid = True
    for number in range(runs):
        planned = plan_run(
            seed=seed + number, orders=orders, faults=faults, minutes=minutes, without=without or (), out=out
        )
        _announce(planned, f"Run {number + 1} of {runs}. " if runs > 1 else "", error_console())
        result = run(planned)
        append(result, path)
        valid = result.valid
        if json_output:
            print(result.model_dump_json())
        else:
            _show(result, planned.burst.out, result_console())
        if not valid:
            break
    if not json_output:
        _show_total(total(read(path)), path, result_console())
    raise typer.Exit(0 if valid else 1)


def _announce(planned: "ChaosRun", which: str, console: Console) -> None:
    settings = planned.burst.settings
    kinds = Counter(each.kind for each in planned.drawn)
    load = f"{settings.orders:,} orders in {settings.duration_s:,.0f} s, {len(planned.drawn):,} faults"
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
    console.print(f"{which}Seed {settings.seed}: {load}: {counts}", markup=False, soft_wrap=True)
    for each in planned.drawn[:_SHOWN_FAULTS]:
        console.print(
            f"{each.at_s:8.1f} s  --{each.option} {' '.join(each.values)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if (more := len(planned.drawn) - _SHOWN_FAULTS) > 0:
        console.print(
            f"           and {more:,} more, all of them in {planned.burst.out / 'summary.json'}", markup=False
        )


def _show(result: "ChaosResult", out: Path, console: Console) -> None:
    console.print(verdict(console, f"Seed {result.seed}: {_sentence(result)}", good=result.valid))
    if not result.valid:
        console.print(f"   Repeat it: {result.command}", markup=False, soft_wrap=True)
    console.print(f"   Files: {out}", markup=False, soft_wrap=True)


def _show_total(found: "Total", path: Path, console: Console) -> None:
    table = plain_table(f"All {found.runs:,} runs in {path}", "", numbers=["orders"])
    for name, count in found.orders.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    faults = plain_table(f"{found.injected:,} faults", "", numbers=["injected"])
    for name, count in found.faults.items():
        faults.add_row(name, f"{count:,}")
    for each in (table, faults):
        console.print()
        console.print(each)
    console.print()
    console.print(
        verdict(
            console,
            f"{found.valid:,} of {found.runs:,} runs are valid: {_sentence(found)}",
            good=found.valid == found.runs,
        )
    )


def _sentence(found: "ChaosResult | Total") -> str:
    orders = found.orders
    unsettled = f", {orders['unsettled']:,} unsettled" if orders["unsettled"] else ""
    return (
        f"{orders['attempted']:,} orders, {found.injected:,} faults: {orders['lost']:,} lost, "
        f"{orders['duplicated']:,} duplicated, {orders['unexpected']:,} unexpected{unsettled}"
    )

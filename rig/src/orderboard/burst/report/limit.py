"""The result of --find-limit for the terminal."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from orderboard.burst.runs.find_limit import FoundLimit
from orderboard.system.command_line import to_paste
from orderboard.terminal.tables import plain_table, verdict


def show_limit(found: FoundLimit, out: Path | None, console: Console) -> None:
    """Print the runs, the highest rate with its spread, and what limited it. out: the user's own folder of the runs."""
    scales = [] if found.even else ["scale"]
    table = plain_table("Runs", "", numbers=[*scales, "orders a second", "accepted", "accept p99", "whole p99"])
    table.add_column("")
    for number, run in enumerate(found.runs, 1):
        p99s = ("" if ms is None else f"{ms:,.0f} ms" for ms in (run.accept_p99_ms, run.end_to_end_p99_ms))
        scale = [] if found.even else [f"{run.scale:g}"]
        table.add_row(str(number), *scale, f"{run.rate:g}", f"{run.accepted_per_s:,.0f}", *p99s, run.why or "holds")
    console.print()
    console.print(table)
    console.print()
    if found.holds_per_s is None:
        console.print(
            verdict(
                console,
                "No rate held: widen the thresholds, or let the load outlast its first, slow orders with --duration",
                good=False,
            )
        )
    else:
        held = found.held
        times = f"in {len(held)} run{'' if len(held) == 1 else 's'}"
        rate = f"{_load(found, found.holds_scale, found.holds_per_s)}, {times}"
        console.print(verdict(console, f"Highest sustainable rate: {rate}", good=True))
        for name, values in (
            ("accept p99", [run.accept_p99_ms for run in held]),
            ("end to end p99", [run.end_to_end_p99_ms for run in held]),
        ):
            console.print(f"   {name}: {_spread([value for value in values if value is not None])}")
    if found.breaks_per_s is not None:
        why = next(run.why for run in found.runs if run.scale == found.breaks_scale and not run.holds)
        broke = _load(found, found.breaks_scale, found.breaks_per_s)
        console.print(f"   Not sustained: {broke}: {why}. {found.limited_by}", markup=False)
    if not found.complete:
        console.print("   Ctrl-C stopped the search before its end.")
    runs = f"orderboard bursts --tag {found.tag}" if out is None else f"orderboard bursts index {shlex.quote(str(out))}"
    console.print(f"   Compare the runs: {to_paste(runs)}", markup=False, soft_wrap=True)


def _load(found: FoundLimit, scale: float | None, rate: float) -> str:
    if found.even:
        return f"{rate:g} orders a second"
    return f"{rate:g} orders a second on average, at --scale {scale:g} of {found.load}"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "none"
    return f"{min(values):,.0f} to {max(values):,.0f} ms" if len(values) > 1 else f"{values[0]:,.0f} ms"

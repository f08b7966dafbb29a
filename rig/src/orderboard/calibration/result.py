"""A calibration for the terminal."""

from pathlib import Path

from rich.console import Console

from orderboard.calibration.model import MEANING, OPERATIONS, Calibration, Operation
from orderboard.terminal.tables import plain_table

_SLOWS_DOWN_AT = 0.5
_FLAT_FROM = 0.8


def show(calibration: Calibration, path: Path, console: Console) -> None:
    """Print the ceilings, and what slows down with the backlog."""
    backlogs = sorted({each.backlog for each in calibration.ceilings})
    table = plain_table(f"Orders a second through the {calibration.backend} backend, by messages waiting")
    table.add_column("")
    for backlog in backlogs:
        table.add_column(f"{backlog:,}", justify="right")
    for operation in OPERATIONS:
        rates = (calibration.orders_per_s(operation, backlog) for backlog in backlogs)
        table.add_row(operation, *("" if rate is None else f"{rate:,.0f}" for rate in rates))
    console.print()
    console.print(table)
    for operation in OPERATIONS:
        console.print(f" [dim]{operation}: {MEANING[operation]}[/dim]", soft_wrap=True)
    if len(backlogs) > 1:
        _flat_or_not(calibration, console)
    if calibration.backend_version:
        console.print(f" Measured: {calibration.backend_version}", markup=False, highlight=False)
    console.print(f" Kept for bursts to compare with: {path}", markup=False, soft_wrap=True)


def _flat_or_not(calibration: Calibration, console: Console) -> None:
    for operation in (slow := slowed_down(calibration)):
        console.print(f" [yellow]{operation} slows down with the backlog.[/yellow]")
    if slow:
        return
    flat = not slowed_down(calibration, at=_FLAT_FROM)
    word, at = ("Flat", _FLAT_FROM) if flat else ("Nearly flat", _SLOWS_DOWN_AT)
    console.print(
        f" {word}: at the longest backlog every operation does at least {at:.0%} of what it does at the shortest."
    )


def slowed_down(calibration: Calibration, *, at: float = _SLOWS_DOWN_AT) -> list[Operation]:
    """The operations that do less at the longest backlog than this share of what they do at the shortest."""
    backlogs = [each.backlog for each in calibration.ceilings]
    found: list[Operation] = []
    for operation in OPERATIONS:
        short = calibration.orders_per_s(operation, min(backlogs))
        long = calibration.orders_per_s(operation, max(backlogs))
        if short is not None and long is not None and long < at * short:
            found.append(operation)
    return found

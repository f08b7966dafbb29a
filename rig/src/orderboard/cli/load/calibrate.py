"""`orderboard calibrate`: the ceilings of a backend."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.terminal.progress import progress_screen, result_console
from orderboard.terminal.tables import plain_table

if TYPE_CHECKING:
    from orderboard.calibration.model import Calibration

EXAMPLES: Final = ("orderboard calibrate", "orderboard calibrate --backlog 1000 --seconds 5 --json")


def calibrate(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    seconds: Annotated[
        float, typer.Option(min=0.2, max=60, help="How long each operation is measured at each backlog.")
    ] = 2,
    backlog: Annotated[
        list[int] | None,
        typer.Option(min=10, max=1_000_000, help="Waiting messages. Repeatable.", show_default="100, 1,000 and 10,000"),
    ] = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Measure the ceilings of a backend with the services' client library and no logic. Bursts compare with them."""
    from orderboard.calibration.calibrate import calibrate as run
    from orderboard.calibration.measure import BACKLOGS

    with progress_screen() as screen:
        found, path = run(backend, endpoint_url, screen, seconds=seconds, backlogs=tuple(backlog or BACKLOGS), yes=yes)
    if json_output:
        print(found.model_dump_json(indent=2))
    else:
        show(found, path, result_console())


def show(calibration: "Calibration", path: Path, console: Console) -> None:
    """Print the ceilings, and the operations that slow down with the backlog."""
    from orderboard.calibration.model import OPERATIONS

    backlogs = sorted({each.backlog for each in calibration.ceilings})
    title = f"Orders a second through the {calibration.backend} backend, by messages waiting"
    table = plain_table(title, "", numbers=[f"{backlog:,}" for backlog in backlogs])
    for operation in OPERATIONS:
        rates = (calibration.orders_per_s(operation, backlog) for backlog in backlogs)
        table.add_row(operation, *("" if rate is None else f"{rate:,.0f}" for rate in rates))
    console.print()
    console.print(table)
    for operation, meaning in OPERATIONS.items():
        console.print(f" [dim]{operation}: {meaning}[/dim]", soft_wrap=True)
    slow = calibration.slowed_down()
    for operation, share in slow.items():
        console.print(f" [yellow]{operation} slows down with the backlog, to {share:.0%} of its rate.[/yellow]")
    if len(backlogs) > 1 and not slow:
        console.print(" Flat: no operation falls below 80 % of its rate at the shortest backlog.")
    if calibration.backend_version:
        console.print(f" Measured: {calibration.backend_version}", markup=False, highlight=False)
    console.print(f" Kept for bursts to compare with: {path}", markup=False, soft_wrap=True)

"""`orderboard calibrate`: the backend's own ceilings."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.terminal.progress import progress_screen, result_console

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
        typer.Option(min=10, max=1_000_000, help="Messages waiting. Repeatable.", show_default="100, 1,000 and 10,000"),
    ] = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Measure the backend's own ceilings, with the services' client library and no logic. Bursts compare with them."""
    from orderboard.calibration.calibrate import calibrate as run
    from orderboard.calibration.measure import BACKLOGS
    from orderboard.calibration.result import show

    with progress_screen() as screen:
        found, path = run(backend, endpoint_url, screen, seconds=seconds, backlogs=tuple(backlog or BACKLOGS), yes=yes)
    if json_output:
        print(found.model_dump_json(indent=2))
    else:
        show(found, path, result_console())

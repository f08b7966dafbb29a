"""`orderboard up`: a system that runs on in the background."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import (
    BackendOption,
    DisorderOption,
    EndpointOption,
    JsonOption,
    ManualClockOption,
    WorkersOption,
    YesOption,
)
from orderboard.terminal.progress import print_json, progress_screen, result_console

EXAMPLES: Final = ("orderboard up", "orderboard up --workers 4 --allow-faults", "orderboard up --backend localstack")


def up(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    workers: WorkersOption = 1,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="order-api's port; 8000 if free, else any.", show_default=False)
    ] = None,
    allow_faults: Annotated[
        bool, typer.Option("--allow-faults", help="Orders may carry faults: poison, flaky:N, slow:MS, crash.")
    ] = False,
    disorder: DisorderOption = None,
    manual_clock: ManualClockOption = False,
    no_console: Annotated[bool, typer.Option("--no-console", help="Start no console.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Start the system, leave it running in the background, and say where everything is."""
    from orderboard_stack.backend import DEFAULT_BACKEND

    from orderboard.cli.up_report import document, show
    from orderboard.system.lifecycle import up as start
    from orderboard.system.workspace import find_workspace

    workspace = find_workspace()
    with progress_screen() as screen:
        system = start(
            workspace,
            screen,
            backend=backend or DEFAULT_BACKEND,
            endpoint_url=endpoint_url,
            port=port,
            workers=workers,
            allow_faults=allow_faults,
            yes=yes,
            with_console=not no_console,
            disorder=disorder,
            manual_clock=manual_clock,
        )
    if json_output:
        print_json(document(system, workspace))
    else:
        show(system, workspace, result_console())

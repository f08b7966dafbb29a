"""`orderboard status`: what runs, waits and rings."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption
from orderboard.terminal.progress import print_json, result_console

EXAMPLES: Final = ("orderboard status", "orderboard status --json")


def status(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show what runs, what waits where, and which alarms ring. Exit 1 if something that should run does not."""
    from orderboard.system.connect import connect, find_endpoint
    from orderboard.system.status import look, show

    target = connect(backend, endpoint_url, stack_name)
    found = look(target, find_endpoint(backend, endpoint_url)[1])
    if json_output:
        print_json(found.document())
    else:
        show(found, result_console())
    raise typer.Exit(0 if found.healthy else 1)

"""`orderboard redrive`: dead letters, back to where they came from."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption, YesOption
from orderboard.terminal.progress import print_json, progress_screen, result_console

EXAMPLES: Final = ("orderboard redrive work", "orderboard redrive undelivered")


def redrive(
    queue: Annotated[str, typer.Argument(help="work, express, alerts, inbox, undelivered, or a queue's full name.")],
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Move what rests in a queue's dead-letter queue back to where it came from. Mend the cause first."""
    from orderboard.cli.redrive_command import run, tell

    with progress_screen() as screen:
        redriven = run(queue, backend, endpoint_url, stack_name, yes=yes, screen=screen)
    if json_output:
        print_json(redriven)
    else:
        tell(redriven, result_console())

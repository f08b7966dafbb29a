"""`orderboard redrive`: dead letters moved back to their queues."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption, YesOption
from orderboard.errors import RigError
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
    """Move the messages of a dead-letter queue back to where they came from. Fix the cause first."""
    from orderboard.orders.redrive import plan
    from orderboard.orders.redrive import redrive as move
    from orderboard.system.backends import consent
    from orderboard.system.connect import connect
    from orderboard.system.target import AWS_ERRORS

    target = connect(backend, endpoint_url, stack_name)
    planned = plan(queue, target.outputs)
    consent(target.endpoint, yes=yes)
    try:
        with progress_screen() as screen, screen.task(f"Messages moved from {planned.source}") as task:
            redriven = move(target.sqs, planned, target.outputs, task.advance_to)
    except AWS_ERRORS as exc:
        raise RigError(f"The redrive stopped; no message is lost. Run it again. ({exc})") from exc
    if json_output:
        print_json(redriven)
        return
    console = result_console()
    console.print(f" {redriven}", markup=False, soft_wrap=True)
    if redriven.left:
        console.print(f" {redriven.left} left in {redriven.source}: they do not say which queue they were sent to.")

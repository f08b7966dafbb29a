"""Runs `redrive` for people and scripts."""

from orderboard_stack.backend import BackendName
from rich.console import Console

from orderboard.errors import RigError
from orderboard.orders.redrive import Redriven, plan, redrive
from orderboard.system.backends import consent
from orderboard.system.connect import connect
from orderboard.system.target import AWS_ERRORS
from orderboard.terminal.progress import Screen


def run(
    queue: str,
    backend: BackendName | None,
    endpoint_url: str | None,
    stack_name: str | None,
    *,
    yes: bool,
    screen: Screen,
) -> Redriven:
    """Find the queue and move what rests there."""
    target = connect(backend, endpoint_url, stack_name)
    planned = plan(queue, target.outputs)
    consent(target.endpoint, yes=yes)
    try:
        with screen.task(f"Messages moved from {planned.source}") as task:
            return redrive(target.sqs, planned, target.outputs, task.advance_to)
    except AWS_ERRORS as exc:
        raise RigError(f"The move stopped, nothing is lost; run it again. {exc}") from exc


def tell(redriven: Redriven, console: Console) -> None:
    """Say what was moved, and by which way."""
    where = redriven.destination or "the queues that they were meant for"
    console.print(f" {redriven.moved} moved from {redriven.source} to {where}, by: {redriven.way}.", markup=False)
    if redriven.left:
        console.print(f" {redriven.left} left in {redriven.source}: they do not say where they were meant to go.")

"""`orderboard down`: the end of the system that `up` started."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import JsonOption
from orderboard.errors import RigError
from orderboard.system.command_line import relative, to_paste
from orderboard.terminal.progress import error_console, print_json, result_console

_ANSWERS_WITHIN_S: Final = 1.0
EXAMPLES: Final = ("orderboard down", "orderboard down --now")


def down(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Do not wait for orders in progress: their messages return to the queues.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """End the system that `up` started, and keep its state for the next `up`. Safe to run twice."""
    from orderboard.system.lifecycle import down as end
    from orderboard.system.workspace import find_workspace

    def progress(line: str) -> None:
        error_console().print(f" {to_paste(line)}", markup=False, soft_wrap=True)

    left = _left_behind()
    ended, kept = end(find_workspace(), now=now, progress=progress)
    if json_output:
        print_json({"stopped": ended, "kept": None if kept is None else str(kept.path)})
        return
    if left is not None:
        progress(f"Warning: {left}")
    console = result_console()
    console.print(f" Stopped: {', '.join(ended)}." if ended else " Nothing was running.")
    if kept is not None:
        text = f"Orders and queues are kept in {relative(kept.path)}; `orderboard up` goes on with them."
        console.print(f" {to_paste(text)}", markup=False, soft_wrap=True)


def _left_behind() -> str | None:
    """Name what a killed measurement left on the system that ends; None without any, or if it does not answer."""
    from orderboard.system.state import StateFile
    from orderboard.system.workspace import find_workspace

    state = StateFile(find_workspace().state_dir).read()
    if state is None or state.endpoint.unanswered(within_s=_ANSWERS_WITHIN_S) is not None:
        return None
    from orderboard.ledger.leftovers import named_leftovers
    from orderboard.system.connect import connect
    from orderboard.system.target import AWS_ERRORS

    try:
        return named_leftovers(connect())
    except (RigError, *AWS_ERRORS):
        return None

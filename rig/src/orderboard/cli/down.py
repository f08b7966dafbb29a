"""`orderboard down`: the end of the system that `up` started."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import TYPE_CHECKING, Annotated, Final

import typer

from orderboard.cli.options import AccountOption, JsonOption, YesOption
from orderboard.errors import RigError, UsageError
from orderboard.system.command_line import relative, to_paste
from orderboard.terminal.progress import error_console, print_json, progress_screen, result_console

if TYPE_CHECKING:
    from orderboard.system.state import State
    from orderboard.system.workspace import Workspace

_ANSWERS_WITHIN_S: Final = 1.0
EXAMPLES: Final = ("orderboard down", "orderboard down --now", "orderboard down --backend aws --account 123456789012")


def down(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Do not wait for orders in progress: their messages return to the queues.")
    ] = False,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            help="aws: remove what `up` made in the account, with all orders.",
            metavar="aws",
            show_default=False,
        ),
    ] = None,
    account: AccountOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """End the system that `up` started, and keep its state for the next `up`. Safe to run twice.

    On AWS: services that run here end, and the stack stays, unless --backend aws removes it; services on ECS are
    removed with everything else, after a question.
    """
    from orderboard.cloud.commands import stays
    from orderboard.system.lifecycle import down as end
    from orderboard.system.state import StateFile
    from orderboard.system.workspace import find_workspace

    workspace = find_workspace()
    if backend not in (None, "aws"):
        raise UsageError(f"--backend {backend}: expected aws. Systems of other backends end without it.")
    state = StateFile(workspace.state_dir).read()
    on_ecs = state is not None and state.on_ecs
    if account is not None and backend is None and not on_ecs:
        raise UsageError("--account is for --backend aws. Leave it out, or add that.")

    def progress(line: str) -> None:
        error_console().print(f" {to_paste(line)}", markup=False, soft_wrap=True)

    left = _left_behind()
    ended, kept = ([], None) if on_ecs else end(workspace, now=now, progress=progress)
    removed, stay = _removed(workspace, state, account, yes=yes) if on_ecs or backend is not None else ((), ())
    if state is not None and not on_ecs and backend is None and (remains := stays(workspace, state)) is not None:
        stay = (remains,)
    if json_output:
        print_json(
            {
                "stopped": ended,
                "kept": None if kept is None else str(kept.path),
                "removed": removed,
                "stays": stay,
            }
        )
        return
    if left is not None:
        progress(f"Warning: {left}")
    console = result_console()
    if removed:
        console.print(f" Removed: {', '.join(removed)}.", markup=False, soft_wrap=True)
    else:
        console.print(f" Stopped: {', '.join(ended)}." if ended else " Nothing was running.")
    for each in stay:
        console.print(
            f" {to_paste(each if not removed else f'Stays and costs money: {each}')}", markup=False, soft_wrap=True
        )
    if removed and not stay:
        console.print(" Nothing of it stays in the account.")
    if kept is not None:
        text = f"Orders and queues are kept in {relative(kept.path)}; `orderboard up` goes on with them."
        console.print(f" {to_paste(text)}", markup=False, soft_wrap=True)


def _removed(
    workspace: "Workspace", state: "State | None", account: str | None, *, yes: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from orderboard.cloud.commands import remove

    with progress_screen() as screen:
        return remove(workspace, account, screen, state=state, yes=yes)


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

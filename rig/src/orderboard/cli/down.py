"""`orderboard down`: the end of the system that `up` started."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Final

from orderboard.system.command_line import relative, to_paste
from orderboard.terminal.progress import error_console, result_console

EXAMPLES: Final = ("orderboard down",)


def down() -> None:
    """End the system that `up` started, and keep its state for the next `up`. Safe to run twice."""
    from orderboard.system.lifecycle import down as end
    from orderboard.system.workspace import find_workspace

    ended, kept = end(find_workspace(), progress=lambda line: error_console().print(f" {line}"))
    console = result_console()
    console.print(f" Stopped: {', '.join(ended)}." if ended else " Nothing was running.")
    if kept is not None:
        text = f"Orders and queues are kept in {relative(kept.path)}; `orderboard up` goes on with them."
        console.print(f" {to_paste(text)}", markup=False, soft_wrap=True)

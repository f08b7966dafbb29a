"""`orderboard down`: the end of the system that `up` started."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Final

from orderboard.terminal.progress import error_console, result_console

EXAMPLES: Final = ("orderboard down",)


def down() -> None:
    """End the system that `up` started. Safe to run twice."""
    from orderboard.system.lifecycle import down as end
    from orderboard.system.workspace import find_workspace

    ended = end(find_workspace(), progress=lambda line: error_console().print(f" {line}"))
    result_console().print(f" Stopped: {', '.join(ended)}." if ended else " Nothing was running.")

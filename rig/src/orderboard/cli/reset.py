"""`orderboard reset`: a clean start for the next `up`."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import JsonOption
from orderboard.terminal.progress import confirm, print_json, result_console

EXAMPLES: Final = ("orderboard reset", "orderboard down && orderboard reset --yes && orderboard up")


def reset(
    *,
    json_output: JsonOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove what `up` keeps between `down` and `up`. Logs and reports stay. Refused while the system runs."""
    from orderboard.system.kept_data import CONTENTS, KeptData
    from orderboard.system.lifecycle import reset as remove
    from orderboard.system.workspace import find_workspace

    def consent(kept: KeptData) -> None:
        confirm(f"This removes {kept.path} ({kept.megabytes}): {CONTENTS}.", yes=yes)

    workspace = find_workspace()
    removed = remove(workspace, consent=consent)
    if json_output:
        print_json(
            {"removed": None if removed is None else str(removed.path), "bytes": removed.bytes if removed else 0}
        )
    elif removed is None:
        result_console().print(f" Nothing is kept in {workspace.data_dir}.", markup=False, soft_wrap=True)
    else:
        result_console().print(
            f" Removed {removed.path} ({removed.megabytes}). The next `up` starts with nothing.",
            markup=False,
            soft_wrap=True,
        )

"""`orderboard doctor`: what this machine has and lacks."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Final

import typer

from orderboard.cli.options import BackendOption, JsonOption
from orderboard.terminal.progress import print_json, result_console

EXAMPLES: Final = ("orderboard doctor", "orderboard doctor --backend localstack")


def doctor(*, backend: BackendOption = None, json_output: JsonOption = False) -> None:
    """Say what this machine has and lacks, with the mend for each. Exit 1 if something must be mended."""
    from orderboard_stack.backend import DEFAULT_BACKEND

    from orderboard.system.doctor import examine, render
    from orderboard.system.workspace import find_workspace

    findings = examine(find_workspace(), backend or DEFAULT_BACKEND)
    if json_output:
        print_json(findings)
    else:
        render(findings, result_console())
    raise typer.Exit(any(each.verdict == "bad" for each in findings))

"""`orderboard doctor`: checks of this machine."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from orderboard.cli.options import BackendOption, JsonOption
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import print_json, result_console

EXAMPLES: Final = ("orderboard doctor", "orderboard doctor --workshop", "orderboard doctor --backend localstack")
_STYLES: Final = {"good": "green", "optional": "dim", "bad": "bold red"}


def doctor(
    *,
    backend: BackendOption = None,
    workshop: Annotated[
        bool, typer.Option("--workshop", help="Check what the workshop needs, too: room, ports, a browser, no network.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Check this machine, and print a fix for whatever is missing. Exit 1 if something must be fixed."""
    from orderboard_stack.backend import DEFAULT_BACKEND

    from orderboard.system.doctor import examine
    from orderboard.system.workspace import find_workspace

    workspace = find_workspace()
    findings = examine(workspace, backend or DEFAULT_BACKEND)
    if workshop:
        from orderboard.workshop.machine import examine_for_workshop
        from orderboard.workshop.workshop import Workshop

        findings += examine_for_workshop(workspace, Workshop(workspace).files)
    bad = [each.subject for each in findings if each.verdict == "bad"]
    if json_output:
        print_json(findings)
    else:
        console = result_console()
        unicode = console.encoding.lower().startswith("utf")
        signs = {"good": "✓" if unicode else "ok", "optional": "-", "bad": "✗" if unicode else "BAD"}
        table = Table.grid(padding=(0, 1))
        table.add_column()
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for each in findings:
            table.add_row(
                f" [{_STYLES[each.verdict]}]{signs[each.verdict]}[/]", each.subject, escape(to_paste(each.found))
            )
            if each.fix:
                table.add_row("", "", f"[b]{escape(to_paste(each.fix))}[/]")
        console.print(table)
        if workshop:
            ready = "[green] Ready for the workshop: orderboard workshop start[/]"
            console.print(
                to_paste(ready) if not bad else f"[bold red] To be fixed first: {', '.join(bad)}[/]", soft_wrap=True
            )
    raise typer.Exit(bool(bad))

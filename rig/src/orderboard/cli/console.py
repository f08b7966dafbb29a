"""`orderboard console`: the console in the foreground."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import ApiUrlOption, BackendOption, EndpointOption, StackNameOption, YesOption
from orderboard.terminal.progress import result_console

EXAMPLES: Final = ("orderboard console", "orderboard console --endpoint-url http://127.0.0.1:4566")


def console(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    api_url: ApiUrlOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port of the console. Default: 8080 if free, else any free port.", show_default=False
        ),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Serve the console, a web page on 127.0.0.1, until Ctrl-C: watch the system, control it, follow an order.

    Its page Resources shows every queue, topic, bus and table of the account, also where no order system runs.
    """
    from orderboard_stack.process import free_port

    from orderboard.console.server import serve
    from orderboard.console.source import Source
    from orderboard.system.backends import checked_url, consent
    from orderboard.system.ports import CONSOLE_PORT
    from orderboard.system.workspace import find_workspace

    if api_url is not None:
        checked_url("--api-url", api_url)
    source = Source(find_workspace(), backend, endpoint_url, stack_name, api_url)
    consent(source.connection().endpoint, yes=yes)
    port = port or free_port(CONSOLE_PORT)
    serve(source, port, on_start=_report)


def _report(url: str) -> None:
    console = result_console()
    console.print(f" The console: [b]{url}[/b]")
    console.file.flush()  # a file or a pipe has it at once, too

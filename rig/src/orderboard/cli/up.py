"""`orderboard up`: a system that runs on in the background."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from orderboard.cli.options import (
    BackendOption,
    DisorderOption,
    EndpointOption,
    JsonOption,
    ManualClockOption,
    WorkerOption,
    WorkersOption,
    YesOption,
)
from orderboard.errors import UsageError
from orderboard.system.command_line import orderboard, relative
from orderboard.terminal.progress import print_json, progress_screen, result_console

if TYPE_CHECKING:
    from orderboard.system.system import System

EXAMPLES: Final = (
    "orderboard up",
    "orderboard up --workers 4 --allow-faults",
    "orderboard up --worker lambda",
    "orderboard up --backend localstack",
)
_ORDER: Final = '{"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}]}'


def up(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    workers: WorkersOption = 1,
    worker: WorkerOption = "container",
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="order-api's port; 8000 if free, else any.", metavar="PORT", show_default=False
        ),
    ] = None,
    allow_faults: Annotated[
        bool, typer.Option("--allow-faults", help="Accept orders with faults: poison, flaky:N, slow:MS, crash.")
    ] = False,
    disorder: DisorderOption = None,
    manual_clock: ManualClockOption = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start with nothing: remove what the last `up` kept (embedded only).")
    ] = False,
    no_console: Annotated[bool, typer.Option("--no-console", help="Do not start the console.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Start the system, leave it running in the background, and print all addresses.

    The embedded backend goes on with what the last `up` kept: orders, queues, functions and buckets.
    """
    from orderboard_stack.backend import DEFAULT_BACKEND

    from orderboard.system.lifecycle import up as start
    from orderboard.system.ports import API_PORT
    from orderboard.system.services import ServiceOptions
    from orderboard.system.system import SystemOptions
    from orderboard.system.workspace import find_workspace

    workspace = find_workspace()
    backend = backend or DEFAULT_BACKEND
    keeps = backend == "embedded" and endpoint_url is None
    if fresh and not keeps:
        raise UsageError("--fresh works only with the embedded backend, started here. Leave it out.")
    if worker == "lambda" and workers != 1:
        raise UsageError("--workers counts processes; a function has --worker lambda alone. Leave one of them out.")
    options = SystemOptions(
        backend=backend,
        endpoint_url=endpoint_url,
        services=ServiceOptions(
            logs_dir=workspace.logs_dir,
            api_port=port,
            usual_api_port=API_PORT,
            workers=workers,
            allow_faults=allow_faults,
            outlives_us=True,
            takes_settings=True,
        ),
        worker=worker,
        yes=yes,
        disorder=disorder,
        manual_clock=manual_clock,
        data_dir=workspace.data_dir if keeps else None,
        with_console=not no_console,
    )
    with progress_screen() as screen:
        system = start(workspace, options, screen, fresh=fresh)
    if json_output:
        print_json(_document(system))
    else:
        _render(system, result_console())


def _document(system: "System") -> dict[str, object]:
    target = system.target
    return {
        "console_url": None if system.console is None else system.console.url,
        "api_url": target.api_url,
        "backend": target.endpoint.name,
        "endpoint_url": target.endpoint.endpoint_url,
        "processes": [each.model_dump() for each in system.processes()],
        "data_dir": None if system.backend.data_dir is None else str(system.backend.data_dir),
        "logs_dir": str(system.options.services.logs_dir),
        "environment": target.endpoint.environment() | target.outputs.environment(),
    }


def _render(system: "System", console: Console) -> None:
    target, outputs = system.target, system.target.outputs
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if system.console is not None:
        table.add_row(" console", f"[b]{system.console.url}[/b]  (open it in a browser)")
    table.add_row(" order-api", f"[b]{target.api_url}[/b]")
    table.add_row(" OpenAPI page", f"{target.api_url}/docs")
    table.add_row(" backend", f"{target.endpoint.name} {target.endpoint.endpoint_url or ''}")
    for number, gap in enumerate(target.endpoint.capabilities.gaps()):
        table.add_row("" if number else " unlike AWS", gap)
    table.add_row(" queues", ", ".join((outputs.work_queue, outputs.express_queue, outputs.alerts_queue)))
    if outputs.worker_function is not None:
        table.add_row(" worker", f"Lambda function {outputs.worker_function}")
    table.add_row(" inbox of alerts", outputs.inbox_queue)
    table.add_row(" table, bus", f"{outputs.orders_table}, {outputs.bus_name}")
    if system.backend.data_dir is not None:
        table.add_row(" kept in", relative(system.backend.data_dir))
    table.add_row(" logs", relative(system.options.services.logs_dir))
    console.print()
    console.print(table)
    console.print()
    for title, command in _next_commands(system):
        if title:
            console.print(f" [dim]{title}[/dim]")
        console.print(f"   {command}", markup=False, soft_wrap=True)


def _next_commands(system: "System") -> list[tuple[str, str]]:
    target, command = system.target, orderboard()
    queue_url, of_localbus = target.queue_url(target.outputs.work_queue), target.endpoint.name == "embedded"
    return [
        ("Place an order", f"echo '{_ORDER}' | {command} place"),
        ("See what is running, and end it", f"{command} status; {command} down"),
        *([("See every step of every message", f"{command} journal --follow")] if of_localbus else []),
        (
            "Use the AWS CLI with it",
            f"{command} aws sqs get-queue-attributes --attribute-names All --queue-url {queue_url}",
        ),
        ("Use your own code with it: set the variables of AWS's SDKs", f'eval "$({command} env)"'),
    ]

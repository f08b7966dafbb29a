"""`orderboard up`: a system that runs on in the background."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.table import Table

from orderboard.cli.options import (
    AccountOption,
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
from orderboard.system.command_line import orderboard, relative, to_paste
from orderboard.terminal.progress import error_console, print_json, progress_screen, result_console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderboard.system.system import System
    from orderboard.system.workspace import Workspace

EXAMPLES: Final = (
    "orderboard up",
    "orderboard up --workers 4 --allow-faults",
    "orderboard up --worker lambda",
    "orderboard up --backend localstack",
    "orderboard up --backend aws --services fargate --certificate ARN --account 123456789012",
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
    services: Annotated[
        Literal["local", "fargate"],
        typer.Option(
            "--services",
            help="With aws, order-api and workers as processes here (local) or on ECS in the account (fargate).",
            metavar="local|fargate",
        ),
    ] = "local",
    account: AccountOption = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            "--certificate", help="fargate: the certificate of order-api's name.", metavar="ARN", show_default=False
        ),
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="fargate: serve HTTP, without a certificate.")] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            help="fargate: a parameter of template.yaml or of deploy/*.yaml.",
            metavar="NAME=VALUE",
            show_default=False,
        ),
    ] = None,
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
    if services == "fargate":
        if backend != "aws":
            raise UsageError(f"--services fargate runs them on AWS, but the backend is {backend}. Add --backend aws.")
        others = {
            "--endpoint-url": endpoint_url,
            "--workers": workers != 1,
            "--port": port,
            "--allow-faults": allow_faults,
            "--disorder": disorder,
            "--manual-clock": manual_clock,
            "--fresh": fresh,
        }
        _refuse("--services fargate", others, "They are for services on this machine.")
        chosen = {"certificate": certificate, "http": http, "worker": worker, "given": parameter or []}
        _up_on_ecs(workspace, chosen, account, json_output=json_output, yes=yes)
        return
    of_ecs = {"--certificate": certificate, "--http": http, "--parameter": parameter}
    _refuse("--services local", of_ecs, "Add --backend aws --services fargate.")
    if backend == "aws":
        _name_the_cost(workspace, account)
    elif account is not None:
        raise UsageError("--account is for --backend aws. Leave it out.")
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


def _refuse(option: str, others: "Mapping[str, object]", fix: str) -> None:
    """Raise UsageError if one of the other options was given."""
    if given := [name for name, value in others.items() if value]:
        raise UsageError(f"{', '.join(given)} cannot be used with {option}. {fix}")


def _up_on_ecs(
    workspace: "Workspace", chosen: dict[str, Any], account_id: str | None, *, json_output: bool, yes: bool
) -> None:
    from orderboard.cli.deploy import pair
    from orderboard.cloud.commands import agree, deploy, plan_of, with_traces
    from orderboard.cloud.presentation import document, result

    plan = plan_of(workspace, **{**chosen, "given": with_traces(dict(map(pair, chosen["given"])))})
    account = agree(workspace, plan, account_id, yes=yes)
    with progress_screen() as screen:
        deployed = deploy(workspace, account, plan, screen)
    if json_output:
        print_json(document(account, plan, deployed))
    else:
        result_console().print(to_paste(f"\n{result(account, plan, deployed)}"), markup=False, soft_wrap=True)


def _name_the_cost(workspace: "Workspace", account_id: str | None) -> None:
    from orderboard.cloud.commands import plan_of
    from orderboard.cloud.presentation import cost_of_main
    from orderboard.system.backends import find_account

    find_account(account_id)
    error_console().print(f"The stack costs {cost_of_main(plan_of(workspace))}.", markup=False, soft_wrap=True)


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

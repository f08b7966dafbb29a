"""What `up` tells of the running system: where everything is, how to look at it, how to end it."""

import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orderboard.system.system import System
from orderboard.system.workspace import Workspace


def document(system: System, workspace: Workspace) -> dict[str, object]:
    """For --json."""
    target = system.target
    return {
        "console_url": system.console_url,
        "api_url": target.api_url,
        "backend": target.endpoint.name,
        "endpoint_url": target.endpoint.endpoint_url,
        "processes": [each.model_dump() for each in system.processes()],
        "logs_dir": str(workspace.logs_dir),
        "environment": target.endpoint.environment() | target.outputs.environment(),
    }


def show(system: System, workspace: Workspace, console: Console) -> None:
    """Print it."""
    target, outputs = system.target, system.target.outputs
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if system.console_url is not None:
        table.add_row(" console", f"[b]{system.console_url}[/b]  (open it in a browser)")
    table.add_row(" order-api", f"[b]{target.api_url}[/b]")
    table.add_row(" OpenAPI page", f"{target.api_url}/docs")
    table.add_row(" backend", f"{target.endpoint.name} {target.endpoint.endpoint_url or ''}")
    for number, gap in enumerate(target.endpoint.capabilities.gaps()):
        table.add_row("" if number else " unlike AWS", gap)
    table.add_row(" queues", ", ".join((outputs.work_queue, outputs.express_queue, outputs.alerts_queue)))
    table.add_row(" inbox of alerts", outputs.inbox_queue)
    table.add_row(" table, bus", f"{outputs.orders_table}, {outputs.bus_name}")
    table.add_row(" logs", _near(workspace.logs_dir))
    console.print()
    console.print(table)
    console.print()
    for title, command in _commands(system, _ourselves()):
        if title:
            console.print(f" [dim]{title}[/dim]")
        console.print(f"   {command}", markup=False, soft_wrap=True)


def _commands(system: System, orderboard: str) -> list[tuple[str, str]]:
    target = system.target
    order = '{"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}]}'
    variables = " ".join(f"{name}={value}" for name, value in target.endpoint.environment().items())
    return [
        ("Place an order", f"echo '{order}' | {orderboard} place"),
        ("Look, and end it", f"{orderboard} status; {orderboard} down"),
        ("Point the aws command at it", f"export {variables}"),
        ("", f"aws sqs get-queue-attributes --attribute-names All --queue-url {_queue_url(system)}"),
    ]


def _ourselves() -> str:
    """How the user's shell finds this command: by its name, or else by its path."""
    return "orderboard" if shutil.which("orderboard") else _near(Path(sys.argv[0]).resolve())


def _queue_url(system: System) -> str:
    return system.target.queue_url(system.target.outputs.work_queue)


def _near(path: Path) -> str:
    working = Path.cwd()
    return str(path.relative_to(working)) if path.is_relative_to(working) else str(path)

"""`orderboard status`: processes, queues, orders and alarms."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.markup import escape

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import print_json, result_console
from orderboard.terminal.tables import megabytes, plain_table

if TYPE_CHECKING:
    from orderboard.orders.status import ProcessStatus, Status

EXAMPLES: Final = ("orderboard status", "orderboard status --json")
_ENDINGS: Final = {
    "stopped": "was stopped",
    "failed": "failed; its log ends with the error",
    "killed": "was killed, by a signal such as SIGKILL or for lack of memory: its log just stops",
}


def status(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show running processes, queue depths and alarms. Exit 1 if something that should run does not."""
    from orderboard.orders.status import read_status
    from orderboard.system.connect import connect, find_endpoint
    from orderboard.system.workspace import find_workspace

    target = connect(backend, endpoint_url, stack_name)
    found = read_status(target, find_endpoint(backend, endpoint_url)[1], find_workspace().logs_dir)
    if json_output:
        print_json(found.document())
    else:
        render(found, result_console())
    raise typer.Exit(0 if found.healthy else 1)


def render(status: "Status", console: Console) -> None:
    """Print the status as tables."""
    parts: list[RenderableType] = []
    if status.processes:
        processes = plain_table("Processes")
        for name in ("process", "pid", "state", "MB"):
            processes.add_column(name, justify="right" if name in ("pid", "MB") else "left")
        for each in status.processes:
            own, *children = each.memory or (None,)
            state = "[bold red]ended[/]" if own is None else "running"
            pids = _pids(each, status)
            memory = "" if own is None else megabytes(own.best_bytes)
            processes.add_row(each.name, pids.get(each.name, str(each.pid)), state, memory)
            for child in children:
                processes.add_row(f"  {child.name}", pids.get(child.name, ""), "running", megabytes(child.best_bytes))
        parts += [processes, ""]
    queues = plain_table("Queues (approximate)")
    for name in ("queue", "waiting", "in flight", "delayed"):
        queues.add_column(name, justify="left" if name == "queue" else "right")
    for name, counts in status.queues.items():
        style = "dim" if counts.total == 0 else "bold"
        queues.add_row(name, str(counts.visible), str(counts.in_flight), str(counts.delayed), style=style)
    console.print(Group(*parts, queues, ""))
    for line in _lines(status):
        console.print(line, soft_wrap=True)


def _pids(process: "ProcessStatus", status: "Status") -> dict[str, str]:
    """Return the pids by row of the embedded backend, whose known process is the supervisor of its engines."""
    from orderboard.system.process_stats import BACKEND, MINISTACK, SUPERVISOR

    if process.name != BACKEND or not status.engines:
        return {}
    rows = {"localbus": BACKEND, "MiniStack": MINISTACK}
    engines = {rows[name]: str(each.pid or "") for name, each in status.engines.items()}
    return {**engines, SUPERVISOR: str(process.pid)}


def _ended(process: "ProcessStatus") -> str:
    ending = _ENDINGS.get(process.ending or "", f"ended ({process.ending})" if process.ending else "ended; see the log")
    return f"{process.name} {ending}"


def _lines(status: "Status") -> list[str]:
    ready = {True: "ready", False: "[bold red]not ready[/] (see /readyz)", None: "not known here"}[status.api_ready]
    api, backend = ("order-api", status.api_url), ("backend", status.backend, status.endpoint_url)
    lines = [f" {' '.join(filter(None, api))} is {ready}; {' '.join(filter(None, backend))}"]
    lines += [f" console {each.url}" for each in status.processes if each.name == "console" and each.memory]
    if status.ended:
        lines += [f" {_ended(each)}. Start it again: {escape(to_paste(each.start_command))}" for each in status.ended]
    if status.worker_function is not None:
        states = ", ".join(f"{role} {state}" for role, state in status.worker_function.items())
        start = "" if status.healthy else f". Enable them: {escape(to_paste('orderboard worker start'))}"
        lines.append(f" The worker is a Lambda function; its mappings: {states}{start}")
    for name, engine in status.engines.items():
        if engine.restarts:
            times = "once" if engine.restarts == 1 else f"{engine.restarts} times"
            lines.append(f" {name} was started again {times}, the last time after {engine.last_ending}")
    if status.missing_table is not None:
        lines.append(
            f" [bold red]The table {status.missing_table} does not exist[/]: orders wait in the queues. "
            f"Restore it: {escape(to_paste('orderboard backup restore'))}"
        )
    if status.orders is not None:
        lines.append(f" {status.orders:,} {'order' if status.orders == 1 else 'orders'} recorded")
    if status.alarms is not None:
        lines.append(f" Alarms: {', '.join(status.alarms) or 'none'}")
    return lines

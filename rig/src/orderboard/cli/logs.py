"""`orderboard logs`: the logs of all services, merged by time."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.text import Text

from orderboard.cli.options import BackendOption, EndpointOption, StackNameOption
from orderboard.errors import RigError, UsageError
from orderboard.terminal.progress import print_json, result_console

if TYPE_CHECKING:
    from orderboard.orders.all_logs import Reader
    from orderboard.orders.service_logs import LogLine
    from orderboard.orders.timeline import Sources
    from orderboard.system.target import Target

EXAMPLES: Final = (
    "orderboard logs 9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11",
    "orderboard logs --follow --level warning",
    "orderboard logs --service worker --service notifier --since 5m --json",
)
Level = Literal["debug", "info", "warning", "error"]
_STYLES: Final = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
_SERVICES: Final = ("order-api", "worker", "notifier")
_POLL_S: Final = 0.5
_ON_AWS_S: Final = 3600.0
_MAX_VALUE_CHARACTERS: Final = 120


def logs(
    order_id: Annotated[
        str | None,
        typer.Argument(
            help="Only the lines of this order: its id, or the first 8 characters. Without it, of all orders.",
            metavar="ORDER_ID",
            show_default=False,
        ),
    ] = None,
    *,
    service: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this service: order-api, worker (or one: worker-1), notifier. Repeat it for several.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    level: Annotated[Level, typer.Option(help="The lowest level to show.")] = "debug",
    since: Annotated[
        str | None,
        typer.Option(
            help="Only what is younger, such as 5m. Without it everything; on aws an hour.",
            metavar="DURATION",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        int, typer.Option(min=1, help="The number of lines to begin with; all of one order.", metavar="N")
    ] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --follow, one a line.")
    ] = False,
) -> None:
    """Show the logs of order-api, the workers and the functions, merged by time; of one order, or of all.

    The processes' logs are read from files here, those of functions and tasks from CloudWatch Logs of the backend.
    """
    from orderboard.option_values import parse_duration, parsed
    from orderboard.orders.all_logs import OfOrder, chosen, read_all
    from orderboard.orders.order_id import checked
    from orderboard.system.connect import connect

    if order_id is not None:
        checked(order_id)  # before anything is contacted
    since_s = None if since is None else parsed("--since", parse_duration, since)
    with closing(connect(backend, endpoint_url, stack_name)) as target:
        sources = _sources(target)
        full_id = None if order_id is None else _resolved(order_id, sources)
        earliest_s = _earliest_s(target, since_s)
        readers = _readers(target, sources, earliest_s, full_id)
        of_order = None if full_id is None else OfOrder(full_id)
        is_chosen = chosen(service or (), level.upper())

        def read() -> "tuple[list[LogLine], list[LogLine]]":
            everything = [line for line in read_all(readers) if line.at.timestamp() >= earliest_s]
            found = everything if of_order is None else of_order(everything)
            return found, [line for line in found if is_chosen(line)]

        found, lines = read()
        if service and found and not lines:
            _check_services(service, found)
        if full_id is None:
            lines = lines[-last:]
        elif not found and not follow:
            raise RigError(
                _nothing(full_id, sources) if since is None else f"No log has a line of it since {since} ago."
            )
        if follow:
            _follow(lines, lambda: read()[1], json_lines=json_output, with_order=full_id is None)
        elif json_output:
            print_json({"lines": [line.document() for line in lines]})
        else:
            _print(lines, json_lines=False, with_order=full_id is None)
            if not lines:
                result_console().print(" No line of a log fits." if found else " Nothing has been logged.")


def _sources(target: "Target") -> "Sources":
    from orderboard.orders.timeline import Sources
    from orderboard.system.connect import local_logs
    from orderboard.system.workspace import find_workspace

    workspace = find_workspace()
    return Sources(target, workspace.logs_dir if local_logs(target.endpoint, workspace) else None)


def _resolved(typed: str, sources: "Sources") -> str:
    from orderboard.orders.order_id import resolve_order_id

    return resolve_order_id(typed, sources.order_ids)


def _earliest_s(target: "Target", since_s: float | None) -> float:
    if since_s is None:
        return 0.0 if target.endpoint.local else time.time() - _ON_AWS_S
    return max(0.0, time.time() - since_s)


def _readers(target: "Target", sources: "Sources", earliest_s: float, order_id: str | None) -> "list[Reader]":
    from orderboard.orders.all_logs import LogFiles, LogGroups

    on_aws = not target.endpoint.local
    pattern = f'"{order_id}"' if on_aws and order_id is not None else ""
    groups = LogGroups(target.logs, target.outputs.bus_name, int(earliest_s * 1000), pattern)
    return [groups] if sources.logs_dir is None else [LogFiles(sources.logs_dir), groups]


def _check_services(wanted: Sequence[str], found: "Sequence[LogLine]") -> None:
    """Raise UsageError if none of them is a service, or has logged anything at all."""
    known = sorted({name for line in found for name in (line.service, line.who)})
    if set(wanted).isdisjoint((*known, *_SERVICES)):
        raise UsageError(f"No log line is of {' or '.join(wanted)}. There are lines of {', '.join(known)}.")


def _nothing(order_id: str, sources: "Sources") -> str:
    from orderboard.orders.order_id import not_found
    from orderboard.orders.timeline import recorded

    if (record := recorded(sources.target, order_id)) is None:
        return not_found(order_id)
    at = record.recorded_at.astimezone().isoformat(timespec="seconds")
    return (
        f"Order {order_id} was recorded at {at}, and no log here has a line of it: its services log elsewhere, or the "
        "logs were removed. `orderboard show` has its row."
    )


def _follow(
    lines: "Sequence[LogLine]", read: "Callable[[], list[LogLine]]", *, json_lines: bool, with_order: bool
) -> None:
    while True:
        _print(lines, json_lines=json_lines, with_order=with_order)
        time.sleep(_POLL_S)
        lines = read()


def _print(lines: "Sequence[LogLine]", *, json_lines: bool, with_order: bool) -> None:
    console = result_console()
    for line in lines:
        if json_lines:
            print(json.dumps(line.document(), ensure_ascii=False), flush=True)
        else:
            console.print(_text(line, with_order=with_order), soft_wrap=True)


def _text(line: "LogLine", *, with_order: bool) -> Text:
    day = "" if line.at.date() == datetime.now().astimezone().date() else f"{line.at:%Y-%m-%d} "
    text = Text(f" {day}{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03}  ", style="dim")
    text.append(f"{line.who:<10}  ", style="not dim")
    text.append(line.event, style=f"not dim {_STYLES.get(line.level, '')}")
    details: dict[str, Any] = {"order": line.order_id[:8]} if with_order and line.order_id else {}
    details |= {name: value for name, value in line.fields.items() if name not in ("worker_id", "location")}
    text.append("".join(f"  {name}={_shortened(value)}" for name, value in details.items()))
    return text


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= _MAX_VALUE_CHARACTERS or "\n" in text else f"{text[: _MAX_VALUE_CHARACTERS - 3]}..."

"""`orderboard alarms` and `orderboard dashboard`: CloudWatch of the stack, in the terminal."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption
from orderboard.terminal.progress import print_json, result_console
from orderboard.terminal.tables import plain_table

if TYPE_CHECKING:
    from orderboard.metrics.alarms import Alarm, Change
    from orderboard.metrics.dashboard import Graph

ALARMS_EXAMPLES: Final = (
    "orderboard alarms",
    "orderboard alarms work-backlog --history",
    "orderboard alarms --watch",
)
DASHBOARD_EXAMPLES: Final = ("orderboard dashboard", "orderboard dashboard --since 3h", "orderboard dashboard --json")
_STYLES: Final = {"ALARM": "bold red", "OK": "green", "INSUFFICIENT_DATA": "dim"}
_LOOKS_EVERY_S: Final = 2.0
_GRAPH_WIDTH: Final = 60
_HISTORY: Final = 50


def alarms(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Only this alarm, such as work-backlog; the stack's prefix may be left out.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    *,
    history: Annotated[bool, typer.Option("--history", help="Show the changes and the actions, oldest first.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on with each change of a state until Ctrl-C.")
    ] = False,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --watch, one a line for each change.")
    ] = False,
) -> None:
    """Show the alarms of the stack: state, since when, and the reason. They are evaluated once a minute."""
    from orderboard.metrics.alarms import read_alarms, read_history
    from orderboard.system.connect import connect
    from orderboard.system.localbus import now_at

    target = connect(backend, endpoint_url, stack_name)
    found = read_alarms(target, name)
    changes = read_history(target, found, last=_HISTORY) if history else []
    if json_output and not watch:
        document: dict[str, object] = {"alarms": [each.document() for each in found]}
        print_json(document | ({"history": [each.document() for each in changes]} if history else {}))
        return
    console = result_console()
    if not json_output:
        render_alarms(found, changes, now_at(target.endpoint), console, with_reasons=name is not None or history)
    while watch:
        time.sleep(_LOOKS_EVERY_S)
        before, found = {each.name: each.state for each in found}, read_alarms(target, name)
        for each in found:
            if each.state != before.get(each.name):
                _print_change(each, before.get(each.name), console, json_output=json_output)


def _print_change(alarm: "Alarm", before: str | None, console: Console, *, json_output: bool) -> None:
    if json_output:
        print(json.dumps(alarm.document() | {"before": before}), flush=True)
        return
    console.print(
        Text.assemble(
            f" {alarm.since:%H:%M:%S} {alarm.name} ",
            (f"{before or 'new'} -> {alarm.state}", _STYLES.get(alarm.state, "")),
            f": {alarm.reason}",
        ),
        soft_wrap=True,
    )


def render_alarms(
    alarms: "Sequence[Alarm]", changes: "Sequence[Change]", now: datetime, console: Console, *, with_reasons: bool
) -> None:
    """Print alarms as a table, the reasons of those that went off or of all, and the history."""
    table = plain_table("Alarms", "alarm", "state", numbers=("since",))
    for each in alarms:
        since = f"{each.since:%H:%M:%S}, {_ago(now - each.since)}"
        table.add_row(each.name, Text(each.state, style=_STYLES.get(each.state, "")), since)
    console.print(table, "")
    for each in alarms:
        if with_reasons or each.state == "ALARM":
            _print_reason(each, console)
    for change in changes:
        console.print(f" {change.at:%Y-%m-%d %H:%M:%S} {change.alarm}: {change.summary}", markup=False, soft_wrap=True)
    if not alarms:
        console.print(" The stack has no alarms.")


def _print_reason(alarm: "Alarm", console: Console) -> None:
    silent = "" if alarm.actions_enabled else " Its actions are disabled."
    console.print(Text.assemble(f" {alarm.name} ", (alarm.state, _STYLES.get(alarm.state, "")), silent), soft_wrap=True)
    for line in (alarm.description, alarm.reason):
        if line:
            console.print(f"   {line}", markup=False, soft_wrap=True)


def _ago(duration: timedelta) -> str:
    seconds = max(0, int(duration.total_seconds()))
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"


def dashboard(
    *,
    since: Annotated[
        str, typer.Option(help="The time that the graphs show, such as 15m or 3h.", metavar="TIME")
    ] = "1h",
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Draw the graphs of the stack's dashboard: backlog, age, dead-letter queues, notifier."""
    from orderboard.errors import UsageError
    from orderboard.metrics.dashboard import read_dashboard
    from orderboard.option_values import parse_duration, parsed
    from orderboard.system.connect import connect
    from orderboard.system.localbus import now_at

    since_s = parsed("--since", parse_duration, since)
    if not 60 <= since_s <= 15 * 86_400:
        raise UsageError(f"--since {since}: expected 1m to 15d, as CloudWatch keeps minutes for 15 days.")
    target = connect(backend, endpoint_url, stack_name)
    graphs = read_dashboard(target, end=now_at(target.endpoint), since_s=since_s)
    if json_output:
        print_json({"graphs": [each.document() for each in graphs]})
        return
    render_dashboard(graphs, result_console())


def render_dashboard(graphs: "Sequence[Graph]", console: Console) -> None:
    """Print each graph as lines on one scale, with the latest and the greatest value."""
    from orderboard.metrics.sparkline import ASCII_BARS, BARS, sparkline

    bars = BARS if console.encoding.lower().startswith("utf") else ASCII_BARS
    for graph in graphs:
        end = graph.start + timedelta(
            seconds=graph.period_s * max((len(one.values) for one in graph.series), default=0)
        )
        highest = max((one.highest or 0.0 for one in graph.series), default=0.0)
        table = plain_table(
            f"{graph.title} ({graph.stat})", "", f"{graph.start:%H:%M} to {end:%H:%M}", numbers=("now", "max")
        )
        for one in graph.series:
            line = sparkline(one.values, highest, _GRAPH_WIDTH, bars)
            style = "dim" if not one.highest else ""
            table.add_row(one.label, line, _number(one.latest), _number(one.highest), style=style)
        console.print(table, "")
    if not any(one.highest is not None for graph in graphs for one in graph.series):
        console.print(" Nothing is measured yet: metrics are published at the end of each minute.")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.2f}"

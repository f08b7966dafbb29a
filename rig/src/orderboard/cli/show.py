"""`orderboard show`: the timeline of one order."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption
from orderboard.errors import RigError
from orderboard.terminal.progress import print_json, result_console
from orderboard.terminal.tables import plain_table

if TYPE_CHECKING:
    from orderboard.orders.timeline import OrderTimeline

EXAMPLES: Final = ("orderboard show 9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11",)
_DETAILS_SHOWN: Final = 3
_DETAILS_FIRST: Final = ("reason", "receive_count", "retry_after_s")
_STYLES: Final = {"bad": "bold yellow", "good": "green"}


def show(
    order_id: Annotated[str, typer.Argument(help="The order's id, or at least its first 8 characters.")],
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show the timeline of one order: its record, waiting time, alerts, dead letters, and every step on the way."""
    from orderboard.orders.order_id import checked, not_found, resolve_order_id
    from orderboard.orders.timeline import Sources
    from orderboard.system.connect import connect, local_logs
    from orderboard.system.localbus import find
    from orderboard.system.workspace import find_workspace

    checked(order_id)  # before anything is contacted
    target, workspace = connect(backend, endpoint_url, stack_name), find_workspace()
    logs_dir = workspace.logs_dir if local_logs(target.endpoint, workspace) else None
    sources = Sources(target, logs_dir, find(target.endpoint), target.subscription_endpoints, receives=True)
    timeline = sources.timeline(resolve_order_id(order_id, sources.order_ids))
    if json_output:
        print_json(_document(timeline))
    elif timeline.known:
        _render(timeline, result_console())
    if not timeline.known:
        raise RigError(not_found(order_id))


def _document(timeline: "OrderTimeline") -> dict[str, Any]:
    return {
        "order_id": timeline.order_id,
        "record": timeline.record and timeline.record.model_dump(mode="json", exclude_none=True),
        "waited_s": timeline.waited_s,
        "trace_id": timeline.trace_id,
        "dead_letters": [asdict(letter) for letter in timeline.dead_letters],
        "alerts": [alert.model_dump(mode="json", exclude_none=True) for alert in timeline.alerts],
        "log": [asdict(line) | {"at": line.at.isoformat()} for line in timeline.log],
        "steps": timeline.document()["steps"],
    }


def _render(timeline: "OrderTimeline", console: Console) -> None:
    """Print it. Text that people typed is printed as text, never as markup."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", min_width=10)
    facts.add_column(overflow="fold")
    for name, value in _facts(timeline):
        facts.add_row(f" {name}", Text(value))
    parts = [facts]
    if timeline.alerts:
        alerts = plain_table("Alerts in the inbox")
        for name in ("kind", "severity", "for", "text"):
            alerts.add_column(name, overflow="fold")
        for alert in timeline.alerts:
            alerts.add_row(alert.kind, alert.severity, alert.audience, Text(alert.text))
        parts.append(alerts)
    if timeline.steps:
        parts.append(_steps(timeline))
    for part in parts:
        console.print()
        console.print(part)


def _facts(timeline: "OrderTimeline") -> list[tuple[str, str]]:
    facts = [("order", timeline.order_id)]
    record = timeline.record
    if record is None:
        rests = any(letter.is_order for letter in timeline.dead_letters)
        gone = "missing: no queue holds it any more" if timeline.missing else "not recorded (yet)"
        facts.append(("status", "in a dead-letter queue" if rests else gone))
    else:
        facts.append(("status", record.status))
        if record.rejection_reason:
            facts.append(("reason", f"{record.rejection_reason}: {record.rejection_detail or ''}"))
        if record.customer_id:
            facts.append(("customer", f"{record.customer_id}, {record.priority}"))
        if record.lines:
            facts.append(("lines", ", ".join(f"{line.quantity} x {line.sku}" for line in record.lines)))
        if record.total_cents is not None:
            facts.append(("total", f"{record.total_cents / 100:.2f} {record.currency or ''}"))
        facts += [(name, text) for name, text in (("note", record.note), ("cancelled", record.cancel_reason)) if text]
        if record.placed_at is not None:
            facts.append(("accepted", _local_time(record.placed_at)))
        waited = "" if timeline.waited_s is None else f", {timeline.waited_s:.3f} s after it was accepted"
        facts.append(("recorded", f"{_local_time(record.recorded_at)}{waited}"))
        facts.append(("by", f"{record.worker_id or 'unknown'}, receive count {record.receive_count or 1}"))
    if trace_id := timeline.trace_id:
        facts.append(("trace", trace_id))
    facts += [("dead letter", f"{letter.queue}: {letter.reason or ''}") for letter in timeline.dead_letters]
    return facts


def _steps(timeline: "OrderTimeline") -> Table:
    table = plain_table("Timeline")
    for name in ("at", "who", "what", "details"):
        table.add_column(name, overflow="fold", no_wrap=name == "at")
    for step in timeline.steps:
        names = dict.fromkeys(name for name in (*_DETAILS_FIRST, *step.details) if step.details.get(name))
        details = ", ".join(f"{name}={_shortened(step.details[name])}" for name in list(names)[:_DETAILS_SHOWN])
        at = "now" if step.still else datetime.fromtimestamp(step.at_s, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        table.add_row(at, step.who, Text(step.title, style=_STYLES.get(step.tone, "")), Text(details))
    return table


def _local_time(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="milliseconds")


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."

"""One order's story, for people and for scripts."""

import json
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orderboard.orders.timeline import Story
from orderboard.terminal.tables import plain_table

_FIELDS_SHOWN: Final = 3
_TOLD_FIRST: Final = ("reason", "receive_count", "retry_after_s")


def document(story: Story) -> dict[str, Any]:
    """For --json."""
    return {
        "order_id": story.order_id,
        "record": story.record and story.record.model_dump(mode="json", exclude_none=True),
        "waited_s": story.waited_s,
        "dead_letters": [asdict(letter) for letter in story.dead_letters],
        "alerts": [alert.model_dump(mode="json", exclude_none=True) for alert in story.alerts],
        "log": [asdict(line) | {"at": line.at.isoformat()} for line in story.log],
    }


def show(story: Story, console: Console) -> None:
    """Print it. Text that people typed is printed as text, never as markup."""
    console.print()
    console.print(_facts(story))
    if story.alerts:
        alerts = plain_table("Alerts in the inbox")
        for name in ("kind", "severity", "for", "text"):
            alerts.add_column(name, overflow="fold")
        for alert in story.alerts:
            alerts.add_row(alert.kind, alert.severity, alert.audience, Text(alert.text))
        console.print()
        console.print(alerts)
    if story.log:
        console.print()
        console.print(_log(story))


def _facts(story: Story) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=10)
    table.add_column(overflow="fold")
    for name, value in _known(story):
        table.add_row(f" {name}", Text(value))
    return table


def _known(story: Story) -> list[tuple[str, str]]:
    facts = [("order", story.order_id)]
    record = story.record
    if record is None:
        facts.append(
            (
                "status",
                "in a dead-letter queue"
                if any(letter.is_order for letter in story.dead_letters)
                else "not recorded (yet)",
            )
        )
    else:
        facts.append(("status", record.status))
        if record.rejection_reason:
            facts.append(("because", f"{record.rejection_reason}: {record.rejection_detail or ''}"))
        if record.customer_id:
            facts.append(("customer", f"{record.customer_id}, {record.priority}"))
        if record.lines:
            facts.append(("lines", ", ".join(f"{line.quantity} x {line.sku}" for line in record.lines)))
        if record.total_cents is not None:
            facts.append(("total", f"{record.total_cents / 100:.2f} {record.currency or ''}"))
        facts += [(name, text) for name, text in (("note", record.note), ("cancelled", record.cancel_reason)) if text]
        if record.placed_at is not None:
            facts.append(("accepted", record.placed_at.astimezone().isoformat(timespec="milliseconds")))
        waited = "" if story.waited_s is None else f", {story.waited_s:.3f} s after it was accepted"
        facts.append(("recorded", f"{record.recorded_at.astimezone().isoformat(timespec='milliseconds')}{waited}"))
        facts.append(("by", f"{record.worker_id or 'unknown'}, at receive {record.receive_count or 1}"))
    facts += [("rests in", f"{letter.queue}: {letter.reason or ''}") for letter in story.dead_letters]
    return facts


def _log(story: Story) -> Table:
    table = plain_table("What the services logged")
    for name in ("at", "service", "event", "fields"):
        table.add_column(name, overflow="fold", no_wrap=name in ("at", "service"))
    for line in story.log:
        names = [name for name in (*_TOLD_FIRST, *line.fields) if line.fields.get(name) is not None]
        shown = list(dict.fromkeys(names))[:_FIELDS_SHOWN]
        text = ", ".join(f"{name}={_short(line.fields[name])}" for name in shown)
        style = "bold yellow" if line.level.upper() in ("WARNING", "ERROR", "CRITICAL") else ""
        table.add_row(line.at.strftime("%H:%M:%S.%f")[:-3], line.service, Text(line.event, style=style), Text(text))
    return table


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""`orderboard journal`: each step of each message, as localbus recorded it."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from orderboard.cli.options import BackendOption, EndpointOption, StackNameOption
from orderboard.errors import RigError, UsageError
from orderboard.terminal.progress import print_json, result_console

if TYPE_CHECKING:
    from orderboard.orders.journal_reader import Read
    from orderboard.resources.account import Account
    from orderboard.resources.arrival import Arrival
    from orderboard.system.localbus import JournalEntry, Localbus

EXAMPLES: Final = (
    "orderboard journal --follow",
    "orderboard journal --queue work-dlq --last 5",
    "orderboard journal 9b2d1f0e",
)
_STYLES: Final = {"bad": "bold yellow", "good": "green"}


def journal(
    id_: Annotated[
        str | None,
        typer.Argument(
            help="The id of a message, an event or an order; of an order, its first 8 characters are enough.",
            metavar="ID",
            show_default=False,
        ),
    ] = None,
    *,
    queue: Annotated[
        str | None,
        typer.Option(help="Only the steps in this queue: a name, URL or ARN.", metavar="QUEUE", show_default=False),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="The number of entries to begin with.", metavar="N")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new entries until Ctrl-C.")] = False,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --follow, one a line.")
    ] = False,
) -> None:
    """Show localbus's journal: each step of each message, such as received, moved or filtered out, and why.

    Of one message it also says where it and its copies ended, and how to fix what stopped them.
    """
    from orderboard.orders.journal_reader import follow_entries
    from orderboard.resources.account import Account
    from orderboard.system.localbus import find

    if id_ is not None and queue is not None:
        raise UsageError("Give an id or --queue, not both.")
    account = Account.connect(backend, endpoint_url, stack_name)
    if (engine := find(account.endpoint)) is None:
        raise RigError(f"Only localbus keeps a journal; the backend is {account.endpoint.name}.")
    with closing(engine):
        read = _reading(account, engine, id_, queue, last)
        shown = _Shown(account.connection.subscription_endpoints(), result_console(), json_lines=json_output)
        if follow:
            for each in follow_entries(read):
                shown.print(each)
            return
        entries = read()
        arrival = None if id_ is None else _arrival(account, engine, id_)
    if json_output:
        document: dict[str, Any] = {"entries": [shown.document(each) for each in entries]}
        if arrival is not None:
            endings = [asdict(each) for each in arrival.endings]
            document["arrival"] = {"summary": arrival.summary, "endings": endings, "notes": arrival.notes}
        print_json(document)
        return
    for each in entries:
        shown.print(each)
    if arrival is not None:
        _show_arrival(arrival, shown.console)
    if not entries:
        text = "The journal is empty" if queue is None else f"The journal has nothing of {queue}"
        shown.console.print(f" {text}.", markup=False)


def _reading(account: "Account", engine: "Localbus", id_: str | None, queue: str | None, last: int) -> "Read":
    from orderboard.orders.journal_reader import JournalReader
    from orderboard.orders.timeline import Sources
    from orderboard.system.connect import local_logs
    from orderboard.system.workspace import find_workspace

    if id_ is None:
        return JournalReader(engine).all(last, "" if queue is None else _queue_arn(account, engine, queue))
    system, workspace = account.system(), find_workspace()
    logs_dir = workspace.logs_dir if local_logs(account.endpoint, workspace) else None
    return JournalReader(engine, None if system is None else Sources(system, logs_dir, engine)).of_id(id_)


def _queue_arn(account: "Account", engine: "Localbus", typed: str) -> str:
    """Return the ARN of the queue; of one that is gone the name, if the journal still has something of it."""
    try:
        return account.queue(typed).arn
    except UsageError:
        if not engine.entries(last=1, resource=typed):
            raise
        return typed


def _arrival(account: "Account", engine: "Localbus", id_: str) -> "Arrival | None":
    """Return where the copies of a message ended, and why; None for an order, which has many messages."""
    from orderboard.resources.clients import Clients
    from orderboard.resources.following import follow
    from orderboard.resources.reader import read_localbus

    message_id = id_.strip().lower()
    if not engine.of_message(message_id) or (inventory := read_localbus(engine)) is None:
        return None
    return follow(engine, inventory, Clients(account.connection), message_id)


def _show_arrival(arrival: "Arrival", console: Console) -> None:
    console.print()
    for each in arrival.endings:
        style = "" if each.verdict in ("arrived", "waiting") else "bold yellow"
        console.print(Text(f" {each.why}", style=style), soft_wrap=True)
        if each.fix and each.verdict != "arrived":
            console.print(Text(f"   {each.fix}"), soft_wrap=True)
        if each.command:
            console.print(Text(f"   {each.command}"), soft_wrap=True)
    for note in arrival.notes:
        console.print(Text(f" {note}", style="dim"), soft_wrap=True)


@dataclass(frozen=True)
class _Shown:
    """Entries in words. endpoints: of subscriptions, by their ARNs."""

    endpoints: Mapping[str, str]
    console: Console
    json_lines: bool

    def document(self, entry: "JournalEntry") -> dict[str, Any]:
        """Return the entry as JSON, with its words."""
        from orderboard.orders.journal import describe

        words = describe(entry, self.endpoints)
        known = {name: value for name, value in asdict(entry).items() if value not in (None, "")}
        return known | {"who": words.who, "title": words.title}

    def print(self, entry: "JournalEntry") -> None:
        """Print the entry as one line."""
        from orderboard.orders.journal import describe

        if self.json_lines:
            print(json.dumps(self.document(entry), ensure_ascii=False), flush=True)
            return
        words = describe(entry, self.endpoints)
        at = datetime.fromtimestamp(entry.at, UTC).astimezone()
        day = "" if at.date() == datetime.now().astimezone().date() else f"{at:%Y-%m-%d} "
        line = Text(f" {day}{at:%H:%M:%S}.{at.microsecond // 1000:03}  ", style="dim")
        line.append(f"{words.who:<24}  ", style="not dim")
        line.append(words.title, style=f"not dim {_STYLES.get(words.tone, '')}")
        details = ", ".join(f"{name}={value}" for name, value in words.details.items())
        line.append("".join(f"  {each}" for each in (details, entry.message_id) if each))
        self.console.print(line, soft_wrap=True)

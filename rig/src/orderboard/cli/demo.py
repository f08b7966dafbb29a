"""`orderboard demo`: a morning rush, from start to ledger."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from orderboard.cli.options import BackendOption, DisorderOption, EndpointOption, JsonOption, WorkersOption, YesOption
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import print_json, progress_screen, result_console
from orderboard.terminal.tables import megabytes, plain_table, verdict

if TYPE_CHECKING:
    from orderboard.demo.runner import DemoResult
    from orderboard.ledger.ledger import Entry
    from orderboard.orders.kinds import Ending

EXAMPLES: Final = ("orderboard demo --seed 7", "orderboard demo --kill-worker", "orderboard demo --keep")
_KEPT: Final = "The system runs on. See an order: orderboard show ID. End it: orderboard down"
_HEADERS: Final[dict["Ending", str]] = {"dead-lettered": "in a DLQ"}


def demo(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 1,
    workers: WorkersOption = 1,
    kill_worker: Annotated[
        bool, typer.Option("--kill-worker", help="Kill a worker with orders in flight; the ledger must still balance.")
    ] = False,
    disorder: DisorderOption = None,
    deadline_s: Annotated[
        float, typer.Option(min=1, max=86_400, help="How long the last order may take to end, in seconds.")
    ] = 90,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave the system running, as `orderboard up` does, to look at its orders."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every order.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Send a morning rush of 200 orders and show where each one ended. Exit 0 only if the ledger balances."""
    from orderboard.burst.measured_system import Where
    from orderboard.demo.play import play_demo

    where = Where(backend, endpoint_url, disorder, yes)
    with progress_screen() as screen:
        result = play_demo(
            where, screen, seed=seed, workers=workers, kill_worker=kill_worker, deadline_s=deadline_s, keep=keep
        )
    if json_output:
        print_json(document(result))
    else:
        show(result, result_console(), verbose=verbose)
    raise typer.Exit(0 if result.judgement.ledger.balanced else 1)


def document(demo: "DemoResult") -> dict[str, object]:
    """Return the document for --json."""
    ledger, placed = demo.judgement.ledger, demo.judgement.placed
    return {
        "balanced": ledger.balanced,
        "discrepancies": [{"type": type(each).__name__, "text": str(each)} for each in ledger.discrepancies],
        "seed": demo.seed,
        "accepted": len(ledger.entries),
        "refused": [{"kind": order.kind, "answers": order.refusals} for order in placed if not order.order_ids],
        "endings": Counter(entry.ended for entry in ledger.entries if entry.ended),
        "alerts": {kind: {"due": due, "announced": seen} for kind, (due, seen) in ledger.alerts.items()},
        "dead_letters": [asdict(letter) for letter in demo.judgement.evidence.dead_letters],
        "orders": [asdict(entry) for entry in ledger.entries],
        "seconds": {
            "ready": round(demo.ready_after_s, 3),
            "first_finished": demo.first_finished_after_s and round(demo.first_finished_after_s, 3),
            "all_finished": round(demo.all_finished_after_s, 3),
        },
        "memory": [asdict(each) for each in demo.memory],
        "logs_dir": str(demo.logs_dir) if demo.logs_dir else None,
        "kept": demo.kept,
    }


def show(demo: "DemoResult", console: Console, *, verbose: bool) -> None:
    """Print the tables and the verdict."""
    parts = [
        _orders(demo, examples=demo.kept and console.width >= 90),
        _alerts_and_memory(demo),
        _dead_letters(demo),
        *([_every_order(demo)] if verbose else []),
    ]
    for part in parts:
        console.print()
        console.print(part)
    console.print()
    for order in demo.judgement.placed:
        if not order.order_ids and not order.may_end:
            console.print(
                Padding(f"Correctly refused by the API ({order.kind}): {order.refusals[0]}", (0, 1)), markup=False
            )
    first = "never" if demo.first_finished_after_s is None else f"{demo.first_finished_after_s:.1f}"
    console.print(
        f" Seconds since the start: ready {demo.ready_after_s:.1f}, first order finished {first}, "
        f"all finished {demo.all_finished_after_s:.1f}"
    )
    console.print()
    _verdict(demo, console)
    if demo.kept or demo.judgement.ledger.balanced:
        text = _KEPT if demo.kept else "To look at the orders, keep the system: orderboard demo --keep"
        console.print(f" {to_paste(text)}", markup=False, soft_wrap=True)


def _orders(demo: "DemoResult", *, examples: bool) -> Table:
    from orderboard.orders.kinds import ENDINGS

    columns = ["orders", *(_HEADERS.get(ending, ending) for ending in ENDINGS)]
    table = plain_table("Every order that was answered 202, and where it ended", "sent as", numbers=columns)
    if examples:  # of a system that is gone, an id is of no use
        table.add_column("for example", style="dim")
    by_kind: dict[str, list[Entry]] = {}
    for entry in demo.judgement.ledger.entries:
        by_kind.setdefault(entry.kind, []).append(entry)
    order = {kind: number for number, kind in enumerate(dict.fromkeys(each.kind for each in demo.judgement.placed))}
    for kind, entries in sorted(by_kind.items(), key=lambda item: (-len(item[1]), order[item[0]])):
        counts = Counter(entry.ended for entry in entries)
        example = [entries[0].order_id[:8]] if examples else []
        table.add_row(kind, str(len(entries)), *(str(counts[e] or "") for e in ENDINGS), *example)
    counts = Counter(entry.ended for entry in demo.judgement.ledger.entries)
    table.add_section()
    table.add_row("all", str(len(demo.judgement.ledger.entries)), *(str(counts[e]) for e in ENDINGS), style="bold")
    return table


def _alerts_and_memory(demo: "DemoResult") -> Table:
    alerts = plain_table("Alerts in the inbox", "kind", numbers=["due", "announced"])
    for kind, (due, announced) in demo.judgement.ledger.alerts.items():
        if due or announced:
            alerts.add_row(kind.replace("_", " "), str(due), str(announced))
    memory = plain_table("Memory, MB", "process", numbers=["MB"])
    for each in demo.memory:
        times = f" x {each.processes}" if each.processes > 1 else ""
        memory.add_row(f"{each.name}{times}", megabytes(each.best_bytes))
    memory.add_section()
    memory.add_row("all", megabytes(sum(each.best_bytes for each in demo.memory)), style="bold")
    both = Table.grid(padding=(0, 4, 0, 0))
    both.add_row(alerts, memory)
    return both


def _dead_letters(demo: "DemoResult") -> Table:
    table = plain_table("In dead-letter queues", "queue", "why", *(["order"] if demo.kept else []))
    for letter in demo.judgement.evidence.dead_letters:
        order = [(letter.order_id or "none")[:8]] if demo.kept else []
        table.add_row(letter.queue, letter.reason or "", *order)
    if not demo.judgement.evidence.dead_letters:
        table.add_row("nothing")
    return table


def _every_order(demo: "DemoResult") -> Table:
    table = plain_table("Every order", "order", "sent as", "ended", "alerts")
    for entry in demo.judgement.ledger.entries:
        table.add_row(entry.order_id, entry.kind, entry.ended or "nowhere", ", ".join(entry.alerts))
    return table


def _verdict(demo: "DemoResult", console: Console) -> None:
    from orderboard.orders.kinds import ENDINGS

    ledger = demo.judgement.ledger
    counts = Counter(entry.ended for entry in ledger.entries)
    parts = " + ".join(f"{counts[ending]} {ending}" for ending in ENDINGS if counts[ending])
    if ledger.balanced:
        text = f"The ledger balances: {len(ledger.entries)} accepted = {parts}"
        console.print(verdict(console, text, good=True))
        return
    console.print(
        verdict(console, f"The ledger does not balance. Discrepancies: {len(ledger.discrepancies)}", good=False)
    )
    for discrepancy in ledger.discrepancies[:20]:
        console.print(f"   {discrepancy}", markup=False)
    if len(ledger.discrepancies) > 20:
        console.print(f"   ... and {len(ledger.discrepancies) - 20} more; --json lists all", markup=False)
    console.print(f" Logs: {demo.logs_dir}", markup=False)

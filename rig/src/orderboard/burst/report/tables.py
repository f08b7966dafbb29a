"""The tables of a burst's summary for the terminal."""

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orderboard.burst.model import GeneratorStats, Latency, Steps, Summary
from orderboard.terminal.tables import plain_table

_STEP_NAMES: Final = {"sns_to_queue": "SNS to queue"}
_ONE_SECOND_MS: Final = 1000


def counts_tables(summary: Summary) -> Table:
    """Return the answers to the orders and, side by side with them, where the orders ended."""
    both = Table.grid(padding=(0, 4, 0, 0))
    ledger = summary.verdict.basis == "ledger"
    both.add_row(_answers(summary), *([_endings(summary)] if ledger else []))
    return both


def _answers(summary: Summary) -> Table:
    found = summary.verdict
    return _counts(
        "Answers",
        ("attempted", found.attempted),
        ("acknowledged (202)", found.acknowledged),
        ("refused (4xx)", found.refused),
        ("unavailable", found.unavailable),
        *([("of them, unreached", found.unreached)] if found.unreached else []),
        *([("recovered", found.recovered)] if found.basis == "ledger" else []),
    )


def _endings(summary: Summary) -> Table:
    found = summary.verdict
    table = _counts(
        "Endings",
        ("completed", found.completed),
        ("rejected", found.rejected),
        ("cancelled", found.cancelled),
        ("in a dead-letter queue", found.dead_lettered),
    )
    if found.dead_lettered_duplicates:
        table.add_row("ended, its duplicate in one", f"{found.dead_lettered_duplicates:,}", style="yellow")
    if found.unsettled:
        table.add_row("not ended", f"{found.unsettled:,}", style="yellow")
    table.add_section()
    for name, count in (("lost", found.lost), ("duplicated", found.duplicated), ("unexpected", found.unexpected)):
        table.add_row(name, f"{count:,}", style="bold red" if count else "")
    return table


def _counts(title: str, *rows: tuple[str, int]) -> Table:
    table = plain_table(title, "", numbers=["orders"])
    for name, count in rows:
        table.add_row(name, f"{count:,}")
    return table


def latencies_table(summary: Summary) -> Table:
    """Return the latencies of all orders."""
    columns = ("orders", "p50", "p90", "p99", "p99.9", "max")
    table = plain_table("Milliseconds from the intended send time", "", numbers=columns)
    measured = [("to the answer 202", summary.accept), ("to the outcome event", summary.end_to_end)]
    for name, found in measured[: 2 if summary.verdict.basis == "ledger" else 1]:
        table.add_row(name, *_values(found))
    return table


def groups_table(summary: Summary) -> Table | None:
    """Return a line for each stream and for each kind of order; None if there is but one."""
    if len(summary.groups) < 2:
        return None
    ledger = summary.verdict.basis == "ledger"
    columns = ("orders", "accept p50", "p99", *(("end to end p50", "p99") if ledger else ()))
    by = "stream and kind" if any(each.by == "stream" for each in summary.groups) else "kind"
    table = plain_table(f"Milliseconds by {by} of order", "", numbers=columns)
    for number, each in enumerate(summary.groups):
        if number and each.by != summary.groups[number - 1].by:
            table.add_section()
        values = [each.accept, *([each.end_to_end] if ledger else [])]
        figures = (_ms(ms) for found in values for ms in ((found.p50_ms, found.p99_ms) if found else (None, None)))
        table.add_row(each.name, f"{each.orders:,}", *figures)
    return table


def _values(found: Latency | None) -> list[str]:
    if found is None:
        return ["0"]
    values = (found.p50_ms, found.p90_ms, found.p99_ms, found.p999_ms, found.max_ms)
    return [f"{found.count:,}", *map(_ms, values)]


def generators_table(found: GeneratorStats) -> Table:
    """Return a line for each generator."""
    late = f"> {found.late_after_ms:g} ms late"
    table = plain_table("Generators", "", numbers=("orders", "a second", late, "p99 late", "of a core", "clock error"))
    for each in found.each:
        name = f"{each.number} {each.machine}".strip()
        table.add_row(
            f"{name}, ended: {each.ended}" if each.ended else name,
            f"{each.sent:,} of {each.orders:,}",
            f"{each.achieved_rate:,.1f}",
            f"{each.late:,}",
            f"{each.lag_p99_ms:,.1f} ms",
            "" if each.cores is None else f"{each.cores:.0%}",
            "none" if each.clock_error_ms is None else f"{each.clock_error_ms:,.1f} ms",
            style="yellow" if each.ended or each.late else "",
        )
    return table


def steps_table(found: Steps) -> RenderableType:
    """Return a table of the steps, with the split of the orders around the median and the 99th percentile."""
    splits = [each for each in found.splits if each.percentile in (50, 99)]
    shares = [f"of p{each.percentile:g}" for each in splits]
    table = plain_table("Milliseconds by step", "", numbers=("orders", "p50", "p90", "p99", *shares))
    for number, step in enumerate(found.steps):
        values = (step.p50_ms, step.p90_ms, step.p99_ms, *(each.steps_ms[number] for each in splits))
        table.add_row(_STEP_NAMES.get(step.name, step.name), f"{step.count:,}", *map(_ms, values))
    if splits:
        table.add_row("end to end", *[""] * 4, *(_ms(each.end_to_end_ms) for each in splits), style="bold")
    if (alert := found.alert) is not None:
        values = (alert.p50_ms, alert.p90_ms, alert.p99_ms)
        table.add_row("alert, after its event", f"{alert.count:,}", *map(_ms, values))
    return Group(table, *(Text(f" {line}", style="dim") for line in _about(found)))


def show_steps(found: Steps | None, console: Console) -> None:
    """Print the table, if anything was measured."""
    if found is not None and found.measured:
        console.print()
        console.print(steps_table(found))


def _about(found: Steps) -> list[str]:
    left_out = found.sampled - found.measured
    missing = f", {left_out:,} left out: not every step is known" if left_out else ""
    return [
        "of p50, of p99: the mean of the orders around that percentile of end to end",
        f"{found.sampled:,} finished orders were followed{missing}. {found.text}",
    ]


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}" if value < _ONE_SECOND_MS else f"{value:,.0f}"

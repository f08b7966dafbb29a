"""A burst's summary for the terminal."""

from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orderboard.burst.model import Latency, Summary
from orderboard.system.command_line import to_paste
from orderboard.terminal.tables import plain_table, verdict

_SHOWN_FINDINGS = 10
_SHOWN_MARKS = 40


def show(summary: Summary, out: Path, console: Console) -> None:
    """Print the tables, the bottleneck, the thresholds and the verdict."""
    both = Table.grid(padding=(0, 4, 0, 0))
    both.add_row(_answers(summary), _endings(summary))
    for part in (both, _latencies(summary), _times(summary)):
        console.print()
        console.print(part)
    console.print()
    _generator(summary, console)
    if (bound := summary.bound) is not None:
        share = f", at {bound.share:.0%} of the calibrated ceiling" if bound.share and not bound.doubt else ""
        name = {"load": "none", "unclear": "unclear"}.get(bound.by, f"the {bound.by}")
        _print_indented(console, f"Bottleneck: {name}{share}. {bound.text}")
        if bound.doubt is not None:
            _print_indented(console, f"{bound.finished_per_s:,.0f} orders a second. {to_paste(bound.doubt)}")
    cost = summary.cost
    console.print(
        f" Cost of 1,000 orders on AWS: {cost.requests_per_1000_orders:,.0f} requests, "
        f"{cost.usd_per_1000_orders:.4f} USD at the prices of {cost.prices_as_of}"
    )
    if (took := summary.processor_time) is not None:
        console.print(
            f" Processor time: {took.system_s:,.1f} s by the system, {took.rig_s:,.1f} s by the rig itself "
            f"({took.rig_share:.0%} of both)"
        )
    console.print(f" Files: {out}", markup=False, soft_wrap=True)
    console.print()
    for expected in summary.expectations:
        console.print(verdict(console, f"{expected.text}: {expected.measured:g}", good=expected.met))
    _verdict(summary, out, console)


def _print_indented(console: Console, text: str) -> None:
    console.print(Padding(Text(text), (0, 1), expand=False))


def _answers(summary: Summary) -> Table:
    found = summary.verdict
    return _counts(
        "Answers",
        ("attempted", found.attempted),
        ("acknowledged (202)", found.acknowledged),
        ("refused (4xx)", found.refused),
        ("unavailable", found.unavailable),
        *([("of them, unreached", found.unreached)] if found.unreached else []),
        ("recovered", found.recovered),
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


def _latencies(summary: Summary) -> Table:
    columns = ("orders", "p50", "p90", "p99", "p99.9", "max")
    table = plain_table("Milliseconds from the intended send time", "", numbers=columns)
    for name, found in (("to the answer 202", summary.accept), ("to the outcome event", summary.end_to_end)):
        table.add_row(name, *_values(found))
    return table


def _values(found: Latency | None) -> list[str]:
    if found is None:
        return ["0"]
    values = (found.p50_ms, found.p90_ms, found.p99_ms, found.p999_ms, found.max_ms)
    return [f"{found.count:,}", *(f"{value:,.1f}" if value < 1000 else f"{value:,.0f}" for value in values)]


def _times(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    accepted, finished = f"{summary.accepted_per_s:,.0f}/s", f"{summary.finished_per_s:,.0f}/s"
    table.add_row(" Load", f"{summary.load_s:.1f} s", f"{accepted} accepted; {finished} finished, drain included")
    table.add_row(" Drain", f"{summary.drain_s:.1f} s", f"peak backlog {summary.peak_backlog:,}")
    for mark in summary.faults[:_SHOWN_MARKS]:
        table.add_row("", f"{mark.at_s:.1f} s", mark.text)
    if (more := len(summary.faults) - _SHOWN_MARKS) > 0:
        table.add_row("", "...", f"and {more:,} more; summary.json has all of them")
    return table


def _generator(summary: Summary, console: Console) -> None:
    found = summary.generator
    if not found.late and not found.not_sent:
        console.print(f" The generator was on schedule: no order was sent more than {found.lag_max_ms:.0f} ms late")
        return
    console.print(
        f" The generator fell behind: {found.late:,} of {found.orders:,} orders were sent more than "
        f"{found.late_after_ms:g} ms late (p99 {found.lag_p99_ms:,.0f} ms, max {found.lag_max_ms:,.0f} ms), "
        f"{found.waited_for_connection:,} of them because all {found.connections} connections were busy; "
        f"{found.not_sent:,} were never sent",
        style="yellow",
    )


def _verdict(summary: Summary, out: Path, console: Console) -> None:
    found = summary.verdict
    if found.valid:
        text = f"Valid: nothing lost, duplicated or unexpected in {found.attempted:,} orders"
        console.print(verdict(console, text, good=True))
        return
    why = f"{found.lost:,} lost, {found.duplicated:,} duplicated, {found.unexpected:,} unexpected"
    console.print(verdict(console, f"Not valid: {why}", good=False))
    if summary.broken_off is not None:
        unsettled = f" {found.unsettled:,} orders had not ended by then." if found.unsettled else ""
        console.print(f"   {summary.broken_off}{unsettled}", markup=False)
    for finding in found.findings[:_SHOWN_FINDINGS]:
        console.print(f"   {finding.verdict}: {finding.text}", markup=False)
    if len(found.findings) > _SHOWN_FINDINGS:
        console.print("   ... and more; summary.json has the first hundred", markup=False)
    console.print(f" The services' logs are in {out / 'logs'}", markup=False, soft_wrap=True)

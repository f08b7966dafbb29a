"""A burst's summary for the terminal."""

from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orderboard.burst.model import Summary
from orderboard.burst.report.tables import counts_tables, generators_table, groups_table, latencies_table, show_steps
from orderboard.system.command_line import to_paste
from orderboard.terminal.tables import verdict

_SHOWN_FINDINGS = 10
_SHOWN_MARKS = 40
_SHOWN_REFUSALS = 8
_SHOWN_EXAMPLE = 160
_SETTLED_MUCH_LATER_S = 0.5


def show(summary: Summary, out: Path, console: Console) -> None:
    """Print the tables, the bottleneck, the thresholds and the verdict."""
    if summary.verdict.attempted:
        for part in (counts_tables(summary), latencies_table(summary), groups_table(summary)):
            if part is not None:
                console.print()
                console.print(part)
        show_steps(summary.steps, console)
        console.print()
        console.print(_times(summary))
        console.print()
        _generator(summary, console)
        _costs(summary, console)
    console.print(f" Files: {out}", markup=False, soft_wrap=True)
    console.print()
    for expected in summary.expectations:
        console.print(verdict(console, f"{expected.text}: {expected.in_words}", good=expected.met))
    _verdict(summary, out, console)


def _costs(summary: Summary, console: Console) -> None:
    """Print the bottleneck, the cost, the processor time, and what was not judged."""
    if (bound := summary.bound) is not None:
        share = f", at {bound.share:.0%} of the calibrated ceiling" if bound.share and not bound.doubt else ""
        _print_indented(console, f"Bottleneck: {bound.name}{share}. {bound.text}")
        if bound.doubt is not None:
            _print_indented(console, f"{bound.worked_off_per_s:,.0f}/s worked off. {to_paste(bound.doubt)}")
    cost = summary.cost
    about = "at most " if cost.estimated else ""
    console.print(
        f" Cost of 1,000 orders on AWS: {about}{cost.requests_per_1000_orders:,.0f} requests, "
        f"{cost.usd_per_1000_orders:.4f} USD at the prices of {cost.prices_as_of}"
    )
    if unpriced := [f"{each.service} {each.operation}" for each in cost.requests if each.usd is None]:
        _print_indented(console, f"Not in it, as the price is unknown: {', '.join(unpriced)}")
    if (took := summary.processor_time) is not None:
        console.print(
            f" Processor time: {took.system_s:,.1f} s by the system, {took.rig_s:,.1f} s by the rig itself "
            f"({took.rig_share:.0%} of both)"
        )
    if (others := summary.verdict.others) is not None and (others.finished or others.dead_letters):
        names = ", ".join(others.examples)
        _print_indented(
            console,
            f"Not judged, as others sent them: {others.finished:,} orders that finished meanwhile, "
            f"{others.dead_letters:,} dead letters{f', such as {names}' if names else ''}. "
            "Backlog and queues count all.",
        )


def _print_indented(console: Console, text: str) -> None:
    console.print(Padding(Text(text), (0, 1), expand=False))


def _times(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row(" Load", f"{summary.load_s:.1f} s", f"{summary.accepted_per_s:,.0f}/s accepted")
    if summary.verdict.basis == "answers":
        table.add_row(" Drain", "unknown", "the stack was not read")
    else:
        _add_drain(table, summary)
    for mark in summary.faults[:_SHOWN_MARKS]:
        table.add_row("", f"{mark.at_s:.1f} s", mark.text)
    if (more := len(summary.faults) - _SHOWN_MARKS) > 0:
        table.add_row("", "...", f"and {more:,} more; summary.json has all of them")
    return table


def _add_drain(table: Table, summary: Summary) -> None:
    last = "" if summary.last_outcome_s is None else f", until the last outcome at {summary.last_outcome_s:.1f} s"
    finished = f"{summary.finished_per_s:,.0f}/s finished{last}; peak backlog {summary.peak_backlog:,}"
    table.add_row(" Drain", f"{summary.drain_s:.1f} s", finished)
    if summary.settled_s is not None and summary.settled_s > summary.drain_s + _SETTLED_MUCH_LATER_S:
        table.add_row(" Settled", f"{summary.settled_s:.1f} s", "after the load, the last alert included")


def _generator(summary: Summary, console: Console) -> None:
    found = summary.generator
    if len(found.each) > 1 or any(each.machine or each.ended for each in found.each):
        console.print(generators_table(found))
        console.print()
    never = f"; {found.not_sent:,} were never sent" if found.not_sent else ""
    if summary.settings.closed and len(summary.settings.streams) == 1:
        console.print(f" The clients sent {found.sent:,} orders, each after the answer to the last")
        return
    name, was = ("generators", "were") if len(found.each) > 1 else ("generator", "was")
    if not found.late:
        on_time = f"no order was sent more than {found.lag_max_ms:.0f} ms late{never}"
        console.print(f" The {name} {was} on schedule: {on_time}")
        return
    console.print(
        f" The {name} fell behind: {found.late:,} of {found.orders:,} orders were sent more than "
        f"{found.late_after_ms:g} ms late (p99 {found.lag_p99_ms:,.0f} ms, max {found.lag_max_ms:,.0f} ms), "
        f"{found.waited_for_connection:,} of them because all {found.connections} connections were busy{never}",
        style="yellow",
    )


def _refusals(summary: Summary, console: Console) -> None:
    shown = [each for each in summary.verdict.refusals if not each.meant]
    for each in shown[:_SHOWN_REFUSALS]:
        console.print(f"   refused: {each.orders:,} ({each.kind}): {each.reason}", markup=False, highlight=False)
        if each.example is not None:
            where = f"line {each.line}" if each.line is not None else "for example"
            console.print(f"      {where}: {each.example[:_SHOWN_EXAMPLE]}", markup=False, highlight=False)
    if len(shown) > _SHOWN_REFUSALS:
        console.print("   ... and more reasons; summary.json has them", markup=False)
    if any(each.line is not None for each in shown):
        console.print("   If refusals of your own orders are meant: --allow-refused", markup=False)


def _verdict(summary: Summary, out: Path, console: Console) -> None:
    found = summary.verdict
    for warning in summary.warnings:
        console.print(f" Warning: {warning}", style="yellow", markup=False)
    console.print(verdict(console, found.headline, good=found.good))
    for text in found.unproven:
        console.print(f"   not proven: {text}", style="yellow", markup=False, soft_wrap=True)
    if summary.broken_off is not None:
        unsettled = f" {found.unsettled:,} orders had not ended by then." if found.unsettled else ""
        console.print(f"   {summary.broken_off}{unsettled}", markup=False)
    _refusals(summary, console)
    if found.good:
        return
    for finding in found.findings[:_SHOWN_FINDINGS]:
        console.print(f"   {finding.verdict}: {finding.text}", markup=False)
    if len(found.findings) > _SHOWN_FINDINGS:
        console.print("   ... and more; summary.json has the first hundred", markup=False)
    if summary.settings.target is not None:
        return
    console.print(f" The services' logs are in {out / 'logs'}", markup=False, soft_wrap=True)

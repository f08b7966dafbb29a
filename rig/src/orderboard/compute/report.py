"""compare-workers on the terminal and as Markdown: the same three tables."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from orderboard.compute.model import Comparison, Invocations, LoadCost, Run
from orderboard.terminal.tables import plain_table, verdict

# The measurement is not so exact that a smaller difference would mean anything.
_SAME_UP_TO: Final = 1.1
_NAMES: Final = {"container": "process", "lambda": "function"}


@dataclass(frozen=True)
class _Table:
    title: str
    columns: Sequence[str]
    numbers: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(found: Comparison, console: Console) -> None:
    """Print the tables, the verdicts that are not good, and what the figures hold for."""
    for each in _tables(found):
        table = plain_table(each.title, *each.columns, numbers=each.numbers)
        for row in each.rows:
            table.add_row(*row)
        console.print()
        console.print(table)
    console.print()
    for note in (*_answers(found), *found.notes):
        console.print(f" {note}", markup=False, highlight=False)
    console.print()
    for text, good in _verdicts(found):
        console.print(verdict(console, text, good=good))


def markdown(found: Comparison) -> str:
    """Return the tables as Markdown, for a page or a pull request."""
    parts = []
    for each in _tables(found):
        head = [*each.columns, *each.numbers]
        rule = ["---"] * len(each.columns) + ["---:"] * len(each.numbers)
        parts.append(f"**{each.title}**\n\n" + "\n".join(map(_row, (head, rule, *each.rows))))
    notes = (*(text for text, _ in _verdicts(found)), *_answers(found), *found.notes)
    parts += ["\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(parts) + "\n"


def _verdicts(found: Comparison) -> Iterator[tuple[str, bool]]:
    """Yield each verdict that is not good, or that all are; and that runs are missing."""
    wrong = [run for run in found.runs if not run.valid]
    for run in wrong:
        yield f"{run.load}, {_NAMES[run.worker]}: {run.verdict} ({run.folder})", False
    if found.runs and not wrong:
        orders = sum(run.orders for run in found.runs)
        workers = " and ".join(
            f"as a {name}" for key, name in _NAMES.items() if key in {run.worker for run in found.runs}
        )
        yield f"Valid: every one of {orders:,} orders ended once, with the worker {workers}", True
    if found.broken_off:
        yield "Interrupted: the run that was under way and those after it are missing. Run it again for all.", False


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tables(found: Comparison) -> Iterator[_Table]:
    yield _Table(
        f"Measured on the {found.backend} backend, {found.machine}",
        ("load", "worker"),
        ("orders/s", "finished/s", "accept p50", "p99", "end to end p50", "p99 ms"),
        [_measured(run) for run in found.runs],
    )
    if any(run.invocations is not None for run in found.runs):
        yield _Table(
            "The function's invocations",
            ("load",),
            ("invocations", "orders each", "ms each", "cold starts", "ms each"),
            [_invoked(run, run.invocations) for run in found.runs if run.invocations is not None],
        )
    if found.costs:
        sizes = found.sizes
        yield _Table(
            f"USD for a million orders on AWS: Fargate {sizes.task_vcpu:g} vCPU, {sizes.task_gb:g} GB, at least "
            f"{sizes.least_tasks} tasks; Lambda {sizes.memory_mb} MB",
            ("load",),
            ("hours", "tasks", "Fargate", "Lambda", "ms billed", "break-even a month"),
            [_priced(each) for each in found.costs],
        )


def _measured(run: Run) -> list[str]:
    latencies = (run.accept_p50_ms, run.accept_p99_ms, run.end_to_end_p50_ms, run.end_to_end_p99_ms)
    rates = (f"{run.offered_per_s:,.3g}", f"{run.finished_per_s:,.3g}")
    return [run.load, _NAMES[run.worker], *rates, *("" if ms is None else f"{ms:,.0f}" for ms in latencies)]


def _invoked(run: Run, found: Invocations) -> list[str]:
    each = f"{run.orders / found.count:.1f}" if found.count else ""
    cold = f"{found.cold_billed_ms / found.cold:,.0f}" if found.cold else ""
    return [run.load, f"{found.count:,}", each, f"{found.warm_ms:,.0f}", f"{found.cold}", cold]


def _priced(cost: LoadCost) -> list[str]:
    even = "above a billion" if cost.break_even_orders is None else f"{cost.break_even_orders:,}"
    prices = (f"{cost.container_usd:,.2f}", f"{cost.lambda_usd:,.2f}")
    return [cost.load, f"{cost.hours:,.1f}", f"{cost.tasks}", *prices, f"{cost.invocation_ms:,.0f}", even]


def _answers(found: Comparison) -> Iterator[str]:
    """Yield the answer for each load in a sentence."""
    for cost in found.costs:
        function = found.run(cost.load, "lambda")
        if function is not None and function.invocations is not None and function.invocations.all_cold:
            yield f"{cost.load}: each invocation was a cold start, so Lambda's cost is an upper limit. Load it longer."
        cheaper, other = sorted(
            (("Lambda", cost.lambda_usd), ("Fargate", cost.container_usd)), key=lambda each: each[1]
        )
        times = other[1] / cheaper[1] if cheaper[1] else math.inf
        if times < _SAME_UP_TO:
            yield f"{cost.load}: both cost about the same, {cheaper[1]:,.2f} USD for a million orders."
            continue
        more = f"{times:,.1f} times as much" if math.isfinite(times) else f"{other[1]:,.2f} USD"
        yield f"{cost.load}: {cheaper[0]} costs {cheaper[1]:,.2f} USD for a million orders, {other[0]} {more}."
    if found.costs:
        yield (
            f"Rates of {found.rates_as_of}, us-east-1, without free tiers: "
            + ", ".join(f"{name} {usd:g}" for name, usd in found.rates.items())
            + " USD."
        )

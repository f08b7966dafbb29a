"""A burst's latency by step, for the terminal."""

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.text import Text

from orderboard.burst.model import Steps
from orderboard.terminal.tables import plain_table

NAMES: Final = {"sns_to_queue": "SNS to queue"}
_ONE_SECOND_MS: Final = 1000


def steps_table(found: Steps) -> RenderableType:
    """Return a table of the steps, with the split of the orders around the median and the 99th percentile."""
    splits = [each for each in found.splits if each.percentile in (50, 99)]
    shares = [f"of p{each.percentile:g}" for each in splits]
    table = plain_table("Milliseconds by step", "", numbers=("orders", "p50", "p90", "p99", *shares))
    for number, step in enumerate(found.steps):
        values = (step.p50_ms, step.p90_ms, step.p99_ms, *(each.steps_ms[number] for each in splits))
        table.add_row(NAMES.get(step.name, step.name), f"{step.count:,}", *map(_ms, values))
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


def _ms(value: float) -> str:
    return f"{value:,.1f}" if value < _ONE_SECOND_MS else f"{value:,.0f}"

"""The look of tables and verdicts. Words and signs carry the meaning; colour only helps."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def plain_table(title: str, *columns: str, numbers: Iterable[str] = ()) -> Table:
    """A table with a title above its left edge and one rule below its head. `numbers` are right-aligned, and last."""
    table = Table(
        title=f" {title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        header_style="dim",
        show_edge=False,
        pad_edge=True,
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def verdict(console: Console, text: str, *, good: bool) -> Text:
    """A line that says yes or no, by its first sign too."""
    unicode = console.encoding.lower().startswith("utf")
    sign = ("✓" if unicode else "ok:") if good else ("✗" if unicode else "NOT OK:")
    return Text(f" {sign} {text}", style="bold green" if good else "bold red")


def megabytes(count: int) -> str:
    """Bytes as megabytes (10^6), without a fraction."""
    return f"{count / 1e6:.0f}"

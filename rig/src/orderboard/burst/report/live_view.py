"""What is shown while a burst runs: a live picture on a terminal, a line every few seconds elsewhere. On stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orderboard.burst.chaos.schedule import Fault
from orderboard.burst.measure.recorder import Book, percentile
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.model import FaultMark
from orderboard.terminal.progress import error_console
from orderboard.terminal.tables import plain_table

_LINE_EVERY_S: Final = 5.0
_QUEUES: Final = ("work", "express", "alerts", "inbox")


@dataclass(frozen=True)
class Now:
    """How things are at a moment."""

    at_s: float
    loading: bool
    sent: int
    book: Book
    sample: Sample
    workers: int
    marks: tuple[FaultMark, ...]
    next_fault: Fault | None
    alerts: int

    @property
    def due(self) -> int:
        """How many orders should be heard to end."""
        return self.book.finished + self.book.unfinished


class View(Protocol):
    """Where it is shown."""

    def update(self, now: Now) -> None:
        """Show how things are."""

    def looking(self) -> None:
        """Show that the table, the dead-letter queues and the inbox are looked at."""


class PlainView:
    """A line every five seconds, and one for each fault."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line_at_s = 0.0
        self._told_marks = 0
        self._looked = False

    def update(self, now: Now) -> None:
        """A line, if one is due."""
        for mark in now.marks[self._told_marks :]:
            self._say(mark.at_s, mark.text)
        self._told_marks = len(now.marks)
        if now.at_s < self._line_at_s:
            return
        self._line_at_s = now.at_s + _LINE_EVERY_S
        book, rates = now.book, _rates(now)
        self._say(
            now.at_s,
            f"{'load' if now.loading else 'drain'}: sent {now.sent} of {book.orders}, accepted {book.accepted}, "
            f"finished {book.finished}; {rates.accepted:.0f}/s in, {rates.finished:.0f}/s out; "
            f"backlog {now.sample.backlog}; accept p99 {_ms(rates.accept_p99_ms)}",
        )

    def looking(self) -> None:
        """Once is enough."""
        if not self._looked:
            self._looked = True
            self._console.print("          looking at the table, the dead-letter queues and the inbox", highlight=False)

    def _say(self, at_s: float, text: str) -> None:
        self._console.print(f"{at_s:6.1f} s  {text}", markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """The picture, drawn again four times a second."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._now: Now | None = None

    def update(self, now: Now) -> None:
        """Draw it."""
        self._now = now
        self._live.update(picture(now), refresh=True)

    def looking(self) -> None:
        """Say so below the picture."""
        if self._now is not None:
            line = Text(" Looking at the table, the dead-letter queues and the inbox ...", style="dim")
            self._live.update(Group(picture(self._now), line), refresh=True)


@dataclass(frozen=True)
class _Rates:
    sent: float
    accepted: float
    finished: float
    accept_p50_ms: float | None
    accept_p99_ms: float | None
    end_to_end_p50_ms: float | None
    end_to_end_p99_ms: float | None


@contextmanager
def burst_view() -> Iterator[View]:
    """The view that fits what stderr is."""
    console = error_console()
    if not console.is_terminal:
        yield PlainView(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield LiveView(live)


def picture(now: Now) -> RenderableType:
    """Everything at a glance: progress, rates and latencies, queues, faults."""
    return Group(_head(now), Text(), _progress(now), Text(), _side_by_side(now), Text(), _faults(now))


def _head(now: Now) -> Text:
    phase = "load" if now.loading else "drain"
    workers = f"{now.workers} worker{'' if now.workers == 1 else 's'} at work"
    return Text.assemble(
        (f" {phase} ", "bold reverse"), f"  {now.at_s:5.1f} s   ", (workers, "" if now.workers else "bold red")
    )


def _progress(now: Now) -> Table:
    book = now.book
    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, done, total in (
        (" sent", now.sent, book.orders),
        (" accepted", book.accepted, book.orders),
        (" finished", book.finished, max(now.due, 1)),
    ):
        grid.add_row(name, ProgressBar(max(total, 1), done, width=40, complete_style="cyan"), f"{done} of {total}")
    return grid


def _side_by_side(now: Now) -> Table:
    rates = _rates(now)
    numbers = plain_table("The last five seconds")
    numbers.add_column("")
    for name in ("a second", "p50", "p99"):
        numbers.add_column(name, justify="right", min_width=8)
    numbers.add_row("sent", f"{rates.sent:.0f}", "", "")
    numbers.add_row("accepted", f"{rates.accepted:.0f}", _ms(rates.accept_p50_ms), _ms(rates.accept_p99_ms))
    numbers.add_row("finished", f"{rates.finished:.0f}", _ms(rates.end_to_end_p50_ms), _ms(rates.end_to_end_p99_ms))
    queues = plain_table("Queues")
    queues.add_column("")
    for name in ("waiting", "in flight"):
        queues.add_column(name, justify="right", min_width=9)
    for role in _QUEUES:
        depth = now.sample.depths.get(role)
        queues.add_row(role, *(("", "") if depth is None else (str(depth.visible), str(depth.in_flight))))
    queues.add_row("dead letters", str(now.sample.dead_letters), "")
    both = Table.grid(padding=(0, 4, 0, 0))
    both.add_row(numbers, queues)
    return both


def _faults(now: Now) -> Text:
    oldest_s = now.book.oldest_age_s(now.at_s)
    lines = [f" Oldest order under way: {'none' if oldest_s is None else f'{oldest_s:.1f} s'}   Alerts: {now.alerts}"]
    lines += [f" {mark.at_s:5.1f} s  {mark.text}" for mark in now.marks[-4:]]
    if now.next_fault is not None:
        lines.append(f" {now.next_fault.at_s:5.1f} s  {now.next_fault}, to come")
    return Text("\n".join(lines), style="dim")


def _rates(now: Now) -> _Rates:
    seconds = list(now.book.recent(now.at_s))
    over_s = max(1, min(5, int(now.at_s)))
    accept = sorted(value for second in seconds for value in second.accept_ms)
    end_to_end = sorted(value for second in seconds for value in second.end_to_end_ms)
    return _Rates(
        sent=now.book.sent_per_s(now.at_s),
        accepted=sum(second.accepted for second in seconds) / over_s,
        finished=sum(second.finished for second in seconds) / over_s,
        accept_p50_ms=percentile(accept, 50) if accept else None,
        accept_p99_ms=percentile(accept, 99) if accept else None,
        end_to_end_p50_ms=percentile(end_to_end, 50) if end_to_end else None,
        end_to_end_p99_ms=percentile(end_to_end, 99) if end_to_end else None,
    )


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"

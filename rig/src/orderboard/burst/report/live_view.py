"""The view of a running burst, on stderr: a live display on a terminal, else a line every few seconds."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orderboard.burst.faults.schedule import Fault
from orderboard.burst.measure.percentiles import percentile
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.model import FaultMark
from orderboard.terminal.progress import error_console
from orderboard.terminal.tables import plain_table

_LINE_EVERY_S: Final = 5.0
_RATES_OVER_S: Final = 5
_JUDGING: Final = "reading the table, the dead-letter queues and the inbox"
_QUEUES: Final = ("work", "express", "alerts", "inbox")


@dataclass(frozen=True)
class Now:
    """The state of a burst at a moment."""

    at_s: float
    loading: bool
    sent: int
    recorder: Recorder
    timeline: Timeline
    sample: Sample
    workers: int
    marks: tuple[FaultMark, ...]
    next_fault: Fault | None
    alerts: int
    waits_for: str = ""  # in the drain
    stopping: bool = False  # stopped before its end
    answers_only: bool = False  # so the queues, the workers and what finished are not known


class View(Protocol):
    """A display of a burst."""

    def update(self, now: Now) -> None:
        """Show the state."""

    def judging(self) -> None:
        """Show that the table, the dead-letter queues and the inbox are being read."""


class PlainView:
    """A line every five seconds, and one for each fault."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line_at_s = 0.0
        self._shown_marks = 0
        self._judging = False

    def update(self, now: Now) -> None:
        """Print new marks, and a line if one is due."""
        for mark in now.marks[self._shown_marks :]:
            self._say(mark.at_s, mark.text)
        self._shown_marks = len(now.marks)
        if now.at_s < self._line_at_s:
            return
        self._line_at_s = now.at_s + _LINE_EVERY_S
        recorder, rates = now.recorder, rates_of(now)
        if now.answers_only:
            self._say(
                now.at_s,
                f"load: sent {now.sent}{_of(recorder.planned)}, accepted {recorder.accepted}; "
                f"{rates.accepted:.0f}/s in{_p99(rates)}",
            )
            return
        if not now.loading:
            self._say(now.at_s, f"drain: finished {recorder.finished}; {rates.finished:.0f}/s out; {_waiting(now)}")
            return
        self._say(
            now.at_s,
            f"load: sent {now.sent}{_of(recorder.planned)}, "
            f"accepted {recorder.accepted}, finished {recorder.finished}; {rates.accepted:.0f}/s in, "
            f"{rates.finished:.0f}/s out; backlog {now.sample.backlog}{_p99(rates)}",
        )

    def judging(self) -> None:
        """Print a line, once."""
        if not self._judging:
            self._judging = True
            self._console.print(f"          {_JUDGING}", highlight=False)

    def _say(self, at_s: float, text: str) -> None:
        self._console.print(f"{at_s:6.1f} s  {text}", markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A display that is redrawn once a second, as its rates change, and at each fault: drawing takes 10 ms."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._now: Now | None = None

    def update(self, now: Now) -> None:
        """Redraw it if that is due."""
        before, self._now = self._now, now
        if before is None or (int(before.at_s), before.marks, before.loading) != (
            int(now.at_s),
            now.marks,
            now.loading,
        ):
            self._live.update(_display(now), refresh=True)

    def judging(self) -> None:
        """Add a line below."""
        if self._now is not None:
            self._live.update(Group(_display(self._now), Text(f" {_JUDGING} ...", style="dim")), refresh=True)


class Views:
    """Several views as one."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def update(self, now: Now) -> None:
        """Show the state in each."""
        for view in self._views:
            view.update(now)

    def judging(self) -> None:
        """Show it in each."""
        for view in self._views:
            view.judging()


@contextmanager
def burst_view(*more: View) -> Iterator[View]:
    """Return the view for stderr, with more views beside it."""
    console = error_console()
    if not console.is_terminal:
        yield Views(PlainView(console), *more)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield Views(LiveView(live), *more)


def _of(planned: int | None) -> str:
    return "" if planned is None else f" of {planned}"


def _waiting(now: Now) -> str:
    hint = ". Ctrl-C again quits at once, and keeps what it has" if now.stopping else ""
    return f"waits for {now.waits_for}{hint}"


def _p99(rates: "Rates") -> str:
    p99_ms = rates.accept_ms[1]
    return "" if p99_ms is None else f"; accept p99 {_ms(p99_ms)}"


def _display(now: Now) -> RenderableType:
    if now.answers_only:
        return Group(_head(now), Text(), _progress(now), Text(), _numbers(now))
    return Group(_head(now), Text(), _progress(now), Text(), _side_by_side(now), Text(), _faults(now))


def _head(now: Now) -> Text:
    phase = "load" if now.loading else "drain"
    workers = f"{now.workers} worker{'' if now.workers == 1 else 's'} running"
    head = Text.assemble((f" {phase} ", "bold reverse"), f"  {now.at_s:5.1f} s   ")
    return head if now.answers_only else head.append(workers, "" if now.workers else "bold red")


def _progress(now: Now) -> Table:
    recorder = now.recorder
    due = recorder.finished + recorder.unfinished
    planned = now.sent if recorder.planned is None else recorder.planned
    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, done, total in (
        (" sent", now.sent, planned),
        (" accepted", recorder.accepted, planned),
        *([] if now.answers_only else [(" finished", recorder.finished, max(due, 1))]),
    ):
        grid.add_row(name, ProgressBar(max(total, 1), done, width=40, complete_style="cyan"), f"{done} of {total}")
    return grid


def _numbers(now: Now) -> Table:
    rates = rates_of(now)
    numbers = plain_table("The last five seconds", "", numbers=["a second", "p50", "p99"])
    numbers.add_row("sent", f"{rates.sent:.0f}", "", "")
    numbers.add_row("accepted", f"{rates.accepted:.0f}", *map(_ms, rates.accept_ms))
    if not now.answers_only:
        numbers.add_row("finished", f"{rates.finished:.0f}", *map(_ms, rates.end_to_end_ms))
    return numbers


def _side_by_side(now: Now) -> Table:
    numbers = _numbers(now)
    queues = plain_table("Queues", "", numbers=["waiting", "in flight"])
    for role in _QUEUES:
        depth = now.sample.depths.get(role)
        queues.add_row(role, *(("", "") if depth is None else (str(depth.visible), str(depth.in_flight))))
    queues.add_row("dead letters", str(now.sample.dead_letters), "")
    for column in (*numbers.columns[1:], *queues.columns[1:]):
        column.min_width = 8  # so that the tables do not move as numbers grow
    both = Table.grid(padding=(0, 4, 0, 0))
    both.add_row(numbers, queues)
    return both


def _faults(now: Now) -> Text:
    oldest_s = now.recorder.oldest_age_s(now.at_s)
    lines = [] if now.loading else [f" The drain {_waiting(now)}"]
    lines += [f" Oldest unfinished order: {'none' if oldest_s is None else f'{oldest_s:.1f} s'}   Alerts: {now.alerts}"]
    lines += [f" {mark.at_s:5.1f} s  {mark.text}" for mark in now.marks[-4:]]
    if now.next_fault is not None:
        lines.append(f" {now.next_fault.at_s:5.1f} s  {now.next_fault} (planned)")
    return Text("\n".join(lines), style="dim")


@dataclass(frozen=True)
class Rates:
    """Orders a second and latencies (p50, p99) over the last five seconds; None without any."""

    sent: float
    accepted: float
    finished: float
    accept_ms: tuple[float | None, float | None]
    end_to_end_ms: tuple[float | None, float | None]


def rates_of(now: Now) -> Rates:
    """Return the rates at a moment."""
    seconds = list(now.recorder.recent(now.at_s, _RATES_OVER_S))
    over_s = max(1, min(_RATES_OVER_S, int(now.at_s)))
    return Rates(
        sent=now.recorder.sent_per_s(now.at_s, _RATES_OVER_S),
        accepted=sum(second.accepted for second in seconds) / over_s,
        finished=sum(second.finished for second in seconds) / over_s,
        accept_ms=_p50_p99(value for second in seconds for value in second.accept_ms),
        end_to_end_ms=_p50_p99(value for second in seconds for value in second.end_to_end_ms),
    )


def _p50_p99(values_ms: Iterable[float]) -> tuple[float | None, float | None]:
    ordered = sorted(values_ms)
    return (percentile(ordered, 50), percentile(ordered, 99)) if ordered else (None, None)


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"

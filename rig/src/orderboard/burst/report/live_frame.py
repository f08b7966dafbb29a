"""The terminal's picture of a running burst, in lines of known width: rich's tables take ten times as long to draw."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from orderboard.burst.report.now import Now, in_ms, rates_of, waiting

_QUEUES: Final = ("work", "express", "alerts", "inbox")
_BAR_WIDTH: Final = 40
_BESIDE_A_BAR: Final = 34
_BETWEEN: Final = "    "
_RULE, _ASCII_RULE = "\N{BOX DRAWINGS LIGHT HORIZONTAL}", "-"
_Piece = tuple[str, str]  # a text and its style


class LiveFrame:
    """A picture, to be drawn once."""

    def __init__(self, now: Now) -> None:
        self._now = now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines; the tables are below each other where they do not fit side by side."""
        now = self._now
        yield from _line(console, *_head(now))
        yield Segment.line()
        for name, done, total in _progress(now):
            yield Segment(f" {name:<8}  ")
            yield from _bar(console, options, done, total)
            yield Segment(f"  {done} of {total}")
            yield Segment.line()
        yield Segment.line()
        rule = _ASCII_RULE if options.ascii_only else _RULE
        numbers, queues = _numbers(now, rule), [] if now.answers_only else _queues(now, rule)
        if queues and len(numbers[0][0]) + len(_BETWEEN) + len(queues[0][0]) > options.max_width:
            numbers, queues = [*numbers, ("", ""), *queues], []
        for left, right in zip_longest(numbers, queues, fillvalue=(" " * len(numbers[0][0]), "")):
            yield from _line(console, left, *(((_BETWEEN, ""), right) if queues else ()))
        if not now.answers_only:
            yield Segment.line()
            yield _faults(now)


def _line(console: Console, *pieces: _Piece) -> Iterator[Segment]:
    for text, style in pieces:
        yield Segment(text, console.get_style(style) if style else None)
    yield Segment.line()


def _head(now: Now) -> Iterator[_Piece]:
    yield f" {'load' if now.loading else 'drain'} ", "bold reverse"
    yield f"  {now.at_s:5.1f} s   ", ""
    if not now.answers_only:
        workers = f"{now.workers} worker{'' if now.workers == 1 else 's'} running"
        yield workers, "" if now.workers else "bold red"


def _progress(now: Now) -> Iterator[tuple[str, int, int]]:
    recorder = now.recorder
    planned = now.sent if recorder.planned is None else recorder.planned
    yield "sent", now.sent, planned
    yield "accepted", recorder.accepted, planned
    if not now.answers_only:
        yield "finished", recorder.finished, max(recorder.finished + recorder.unfinished, 1)


def _bar(console: Console, options: ConsoleOptions, done: int, total: int) -> Iterator[Segment]:
    width = max(1, min(_BAR_WIDTH, options.max_width - _BESIDE_A_BAR))
    bar = ProgressBar(max(total, 1), done, width=width, complete_style="cyan")
    drawn = [each for each in bar.__rich_console__(console, options) if isinstance(each, Segment)]
    yield from drawn
    yield Segment(" " * (width - sum(len(each.text) for each in drawn)))  # without colours the rest is not drawn


def _numbers(now: Now, rule: str) -> list[_Piece]:
    rates = rates_of(now)
    rows = [
        ("sent", f"{rates.sent:.0f}", "", ""),
        ("accepted", f"{rates.accepted:.0f}", *map(in_ms, rates.accept_ms)),
        ("finished", f"{rates.finished:.0f}", *map(in_ms, rates.end_to_end_ms)),
    ]
    shown = rows[:2] if now.answers_only else rows
    return _table("The last five seconds", 8, ("a second", "p50", "p99"), shown, rule)


def _queues(now: Now, rule: str) -> list[_Piece]:
    depths = [(role, now.sample.depths.get(role)) for role in _QUEUES]
    rows = [(role, *(("", "") if each is None else (str(each.visible), str(each.in_flight)))) for role, each in depths]
    letters = ("dead letters", str(now.sample.dead_letters), "")
    return _table("Queues", 12, ("waiting", "in flight"), [*rows, letters], rule)


def _table(
    title: str, name_width: int, columns: Sequence[str], rows: Sequence[Sequence[str]], rule: str
) -> list[_Piece]:
    """Return the lines of a table, all of one width."""
    head, *body = (
        f" {name:<{name_width}}" + "".join(f"  {cell:>9}" for cell in cells) + " "
        for name, *cells in (("", *columns), *rows)
    )
    lines = [(f" {title}".ljust(len(head)), "bold"), (head, "dim"), (rule * len(head), "")]
    return [*lines, *((line, "") for line in body)]


def _faults(now: Now) -> Text:
    oldest_s = now.recorder.oldest_age_s(now.at_s)
    lines = [] if now.loading else [f" The drain {waiting(now)}"]
    lines += [f" Oldest unfinished order: {'none' if oldest_s is None else f'{oldest_s:.1f} s'}   Alerts: {now.alerts}"]
    lines += [f" {mark.at_s:5.1f} s  {mark.text}" for mark in now.marks[-4:]]
    if now.next_fault is not None:
        lines.append(f" {now.next_fault.at_s:5.1f} s  {now.next_fault} (planned)")
    return Text("\n".join(lines), style="dim")

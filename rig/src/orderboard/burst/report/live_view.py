"""The view of a running burst, on stderr: a live display on a terminal, else a line every few seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orderboard.burst.report.live_frame import LiveFrame
from orderboard.burst.report.now import Now, Rates, in_ms, rates_of, waiting
from orderboard.terminal.progress import error_console

_LINE_EVERY_S: Final = 5.0
_JUDGING: Final = "reading the table, the dead-letter queues and the inbox"


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
            self._say(now.at_s, f"drain: finished {recorder.finished}; {rates.finished:.0f}/s out; {waiting(now)}")
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
    """A display that is redrawn once a second, as its rates change, and at each fault."""

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
            self._live.update(LiveFrame(now), refresh=True)

    def judging(self) -> None:
        """Add a line below."""
        if self._now is not None:
            self._live.update(Group(LiveFrame(self._now), Text(f" {_JUDGING} ...", style="dim")), refresh=True)


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


def _p99(rates: Rates) -> str:
    p99_ms = rates.accept_ms[1]
    return "" if p99_ms is None else f"; accept p99 {in_ms(p99_ms)}"

"""Progress on stderr: a live display on a terminal, plain lines elsewhere."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from typing import Final, Protocol

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Task as RichTask
from rich.progress_bar import ProgressBar

from orderboard.errors import RigError, UsageError

MAX_WIDTH: Final = 100


class Task(Protocol):
    """A task that takes a while."""

    def detail(self, text: str) -> None:
        """Show the current step."""

    def advance_to(self, done: int, total: int | None = None) -> None:
        """Show how much is done, of how much."""


class Screen(Protocol):
    """A display of tasks and lines."""

    def task(self, text: str, *, total: int | None = None) -> AbstractContextManager[Task]:
        """Show that this is under way until the with block ends."""

    def say(self, line: str) -> None:
        """Show one line that stays."""

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to a question until the with block ends."""


class PlainScreen:
    """One line when a task ends, and one at each quarter of what is counted."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()

    @contextmanager
    def task(self, text: str, *, total: int | None = None) -> Iterator[Task]:
        """Print a line when it is done."""
        task = _PlainTask(self, text, total)
        yield task
        task.end()

    def say(self, line: str) -> None:
        """A line with the seconds since the start."""
        elapsed = f"{time.monotonic() - self._started:6.1f} s  "
        self._console.print(elapsed + line, markup=False, highlight=False, soft_wrap=True)

    def paused(self) -> AbstractContextManager[None]:
        """Nothing moves here."""
        return nullcontext()


class _PlainTask:
    def __init__(self, screen: PlainScreen, text: str, total: int | None) -> None:
        self._screen, self._text, self._total = screen, text, total
        self._done = 0
        self._printed_quarters = 0

    def detail(self, text: str) -> None:
        pass

    def advance_to(self, done: int, total: int | None = None) -> None:
        self._done, self._total = done, total or self._total
        quarters = 4 * done // self._total if self._total else 0
        if self._printed_quarters < quarters < 4:
            self._printed_quarters = quarters
            self._screen.say(f"{self._text}: {done} of {self._total}")

    def end(self) -> None:
        counted = f": {self._done} of {self._total}" if self._total is not None else ""
        self._screen.say(f"{self._text}{counted}, done")


class LiveScreen:
    """Every task as a line with a spinner, a bar where it is counted, and its seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        tick = "✓" if console.encoding.lower().startswith("utf") else "*"
        self._progress = Progress(
            SpinnerColumn(spinner_name="dots" if tick == "✓" else "line", finished_text=f"[green]{tick}[/green]"),
            TextColumn("{task.description}"),
            _CountedBar(),
            TextColumn("{task.fields[counted]}"),
            TextColumn("[dim]{task.fields[seconds]}[/dim]"),
            TextColumn("[dim]{task.fields[detail]}[/dim]"),
            console=console,
        )

    @contextmanager
    def task(self, text: str, *, total: int | None = None) -> Iterator[Task]:
        """Show it at work, then ticked."""
        task_id = self._progress.add_task(text, total=total, counted="", seconds="", detail="")
        task = _LiveTask(self._progress, task_id, total)
        yield task
        task.end()

    def say(self, line: str) -> None:
        """A line above the display."""
        self._console.print(line, markup=False, highlight=False)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the display away, and draw it again."""
        self._progress.live.transient = True
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.live.transient = False
            self._progress.start()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the display until the with block ends."""
        with self._progress:
            yield


class _CountedBar(ProgressColumn):
    """A bar, only for tasks that are counted."""

    def render(self, task: RichTask) -> ProgressBar | str:
        if not task.fields["counted"]:
            return ""
        return ProgressBar(task.total, task.completed, width=24, complete_style="cyan", finished_style="cyan")


class _LiveTask:
    def __init__(self, progress: Progress, task_id: TaskID, total: int | None) -> None:
        self._progress, self._id, self._total = progress, task_id, total
        self._started = time.monotonic()

    def detail(self, text: str) -> None:
        self._progress.update(self._id, detail=text[:40])

    def advance_to(self, done: int, total: int | None = None) -> None:
        self._total = total or self._total
        counted = f"{done} of {self._total}" if self._total else str(done)
        self._progress.update(self._id, completed=done, total=self._total, counted=counted)

    def end(self) -> None:
        total = self._total or 1
        seconds = f"{time.monotonic() - self._started:.1f} s"
        self._progress.update(self._id, total=total, completed=total, seconds=seconds, detail="")


@contextmanager
def progress_screen() -> Iterator[Screen]:
    """Return the screen that fits stderr."""
    console = error_console()
    if not console.is_terminal:
        yield PlainScreen(console)
        return
    live = LiveScreen(console)
    with live.shown():
        yield live


def error_console() -> Console:
    """The console for progress and errors."""
    return _console(stderr=True)


def result_console() -> Console:
    """The console for the result of a command."""
    return _console(stderr=False)


def print_json(document: object) -> None:
    """Print one JSON document for scripts, dataclasses in it as objects."""
    print(json.dumps(document, indent=2, default=asdict))


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal or console.width > MAX_WIDTH:
        console.width = MAX_WIDTH
    return console


def is_interactive() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(text: str, *, yes: bool) -> None:
    """Show what is going to happen, and go on only if the user agrees: with yes, or at the prompt."""
    error_console().print(text, markup=False, soft_wrap=True)
    if yes:
        return
    if not is_interactive():
        raise UsageError("Nothing was done. Add --yes to confirm.")
    if input("Go on? Type yes: ").strip().lower() != "yes":
        raise RigError("Nothing was done.")

"""The commands of `orderboard workshop` for the exercises, and the handout."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from orderboard.cli.options import JsonOption, YesOption
from orderboard.cli.workshop.wall import NameOption, WallOption, joined, state_of_wall
from orderboard.errors import UsageError
from orderboard.system.command_line import relative, to_paste
from orderboard.terminal.progress import confirm, error_console, print_json, progress_screen, result_console
from orderboard.terminal.tables import plain_table, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderboard.workshop.catalogue import Entry
    from orderboard.workshop.progress import Record
    from orderboard.workshop.workshop import Workshop

_STATUS: Final = {"not opened": "", "open": "open", "solved": "✓ solved", "skipped": "skipped"}
ExerciseArgument = Annotated[
    str | None,
    typer.Argument(metavar="[N]", help="The exercise's number or name; the open one if left out.", show_default=False),
]


def start(*, name: NameOption = None, wall: WallOption = None, json_output: JsonOption = False) -> None:
    """Start the system for the workshop if none runs, and open the first exercise that is not done.

    The system is that of `orderboard up --allow-faults`; `orderboard down` ends it, and keeps the progress. With --name
    and --wall your progress is shown on the trainer's wall, as by `orderboard workshop join`.
    """
    from orderboard.system.state import StateFile
    from orderboard.workshop.catalogue import everything, find

    workshop = attendees_workshop()
    if (name is None) is not (wall is None):
        raise UsageError("--name and --wall go together: orderboard workshop start --name NAME --wall URL")
    if name is not None and wall is not None:
        for line in joined(workshop, name, wall):
            workshop.say(to_paste(line))
    progress = workshop.progress()  # if it is damaged, nothing is started
    if StateFile(workshop.workspace.state_dir).read() is None:
        _start_system()
    done = {each.number for each in everything() if progress.record(each.number).status in ("solved", "skipped")}
    left = [each for each in everything() if each.number not in done]
    if not left:
        _say("All exercises are done. Open one again: orderboard workshop open 1")
        return
    entry = left[0] if progress.current is None or progress.current in done else find(str(progress.current))
    _open(workshop, entry, json_output=json_output)


def list_exercises(*, json_output: JsonOption = False) -> None:
    """List the exercises, with your progress."""
    from orderboard.workshop.catalogue import everything

    progress = attendees_workshop().progress()
    if json_output:
        print_json([_document(each, progress.record(each.number)) for each in everything()])
        return
    table = plain_table("The workshop", "", "exercise", "", numbers=["minutes"])
    for each in everything():
        record = progress.record(each.number)
        style = "bold" if progress.current == each.number and record.status == "open" else ""
        table.add_row(
            str(each.number), each.readme.title, _STATUS[record.status], str(each.readme.minutes), style=style
        )
    console = result_console()
    console.print()
    console.print(table)
    minutes = sum(each.readme.minutes for each in everything())
    _say(f"\n {minutes} minutes in all. Begin, or go on: orderboard workshop start")


def open_exercise(
    number: Annotated[str, typer.Argument(metavar="N", help="The exercise's number or name.")],
    *,
    json_output: JsonOption = False,
) -> None:
    """Put the system back as deployed, prepare an exercise's start state, and show its text.

    Your own files and your progress stay. What earlier exercises made in the account is removed.
    """
    workshop = attendees_workshop()
    _open(workshop, workshop.entry(number), json_output=json_output)


def check(number: ExerciseArgument = None, *, json_output: JsonOption = False) -> None:
    """Check the open exercise by what happened in the system. Exit 0: solved. 1: not yet, with what is missing."""
    workshop = attendees_workshop()
    entry = workshop.entry(number)
    checked = workshop.check(entry)
    if json_output:
        findings = [{"met": each.met, "text": each.text} for each in checked.findings]
        print_json({"number": entry.number, "name": entry.name, "solved": checked.solved, "findings": findings})
        raise typer.Exit(0 if checked.solved else 1)
    console = result_console()
    console.print(Text(f"\n {entry}\n", style="bold"))
    for each in checked.findings:
        console.print(verdict(console, each.text, good=each.met), soft_wrap=True)
    console.print()
    if checked.solved:
        after = workshop.next_after(entry)
        last = "That was the last one. The quiz: orderboard workshop quiz"
        following = last if after is None else f"Next: orderboard workshop open {after.number}"
        _say(f" Solved. {following}")
    else:
        _say(" Not yet. A hint: orderboard workshop hint")
    raise typer.Exit(0 if checked.solved else 1)


def deploy(number: ExerciseArgument = None, *, json_output: JsonOption = False) -> None:
    """Put your files of the open exercise onto the system: its rule, stack or function. Repeat it after each change."""
    workshop = attendees_workshop()
    entry = workshop.entry(number)
    done = workshop.deploy(entry)
    if json_output:
        print_json({"number": entry.number, "name": entry.name, "deployed": done})
        return
    _say(done)


def hint(
    number: ExerciseArgument = None,
    *,
    level: Annotated[
        int | None,
        typer.Option("--level", help="Up to this hint, 1 to 3; else the next one.", metavar="K", show_default=False),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Show the next hint, below those that you have seen. Each says more; there are three."""
    from orderboard.terminal.markdown import print_markdown

    workshop = attendees_workshop()
    entry = workshop.entry(number)
    shown = workshop.hint(entry, level)
    if json_output:
        print_json({"number": entry.number, "hints": shown, "of": len(entry.exercise.hints)})
        return
    console = result_console()
    for count, text in enumerate(shown, start=1):
        console.print(Text(f"\n Hint {count} of {len(entry.exercise.hints)}", style="bold"))
        print_markdown(console, to_paste(text))
    if len(shown) == len(entry.exercise.hints):
        _say("\n That was the last one. The solution: orderboard workshop solution")


def solution(
    number: ExerciseArgument = None,
    *,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Do what it says, too. Files that you have changed are kept as NAME.mine."),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Show the solution, and apply it on request."""
    from orderboard.terminal.markdown import print_markdown

    workshop = attendees_workshop()
    entry = workshop.entry(number)
    text = workshop.solution(entry)
    kept = workshop.apply_solution(entry) if apply else []
    if json_output:
        print_json({"number": entry.number, "solution": text, "applied": apply, "kept": [str(each) for each in kept]})
        return
    print_markdown(result_console(), to_paste(text))
    _show_kept(kept)
    _say(
        "Applied. Look at what it changed, then: orderboard workshop check"
        if apply
        else "To apply it: orderboard workshop solution --apply"
    )


def skip(number: ExerciseArgument = None) -> None:
    """Leave an exercise out, and name the next one. It can be opened at any time."""
    workshop = attendees_workshop()
    entry = workshop.entry(number)
    workshop.skip(entry)
    after = workshop.next_after(entry)
    following = "It was the last one." if after is None else f"Next: orderboard workshop open {after.number}"
    _say(f"Exercise {entry.number} is skipped. {following}")


def reset(
    number: ExerciseArgument = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Forget the progress of all exercises.")] = False,
    yes: YesOption = False,
) -> None:
    """Forget an exercise's progress, and open it as if for the first time. Your files are kept as NAME.mine."""
    workshop = attendees_workshop()
    if everything:
        if number is not None:
            raise UsageError("Name one exercise, or give --all.")
        confirm("The progress of all exercises is forgotten. Your files are kept as NAME.mine.", yes=yes)
        _show_kept(workshop.forget())
        _say("Begin again: orderboard workshop start")
        return
    entry = workshop.entry(number)
    _show_kept(workshop.reset(entry))
    _say(f"Exercise {entry.number} is as at the beginning. Its text: orderboard workshop open {entry.number}")


def status(*, json_output: JsonOption = False) -> None:
    """Show how far you are: the exercises that are done, the open one with its last check's findings, and the quiz.

    If you have joined a wall, it gets your progress once more.
    """
    from orderboard.workshop.catalogue import everything, find
    from orderboard.workshop.quiz import score

    progress = attendees_workshop().progress()
    exercises = [(each, progress.record(each.number)) for each in everything()]
    if json_output:
        wall = progress.wall
        on_wall = None if wall is None else {"name": wall.name, "state": state_of_wall(progress, wall)}
        shown = [_document(*each) for each in exercises]
        quiz = asdict(score(progress.quiz))
        print_json({"current": progress.current, "wall": on_wall, "quiz": quiz, "exercises": shown})
        return
    console = result_console()
    solved = [record for _, record in exercises if record.status == "solved"]
    minutes = sum(each.minutes or 0 for each in solved)
    console.print(f"\n {len(solved)} of {len(exercises)} solved, in {minutes:.0f} minutes.", markup=False)
    if progress.quiz:
        console.print(f" The quiz: {score(progress.quiz)}", markup=False)
    if progress.wall is not None:
        _say(f" {state_of_wall(progress, progress.wall)}")
    if progress.current is None:
        _say("Begin: orderboard workshop start")
        return
    entry = find(str(progress.current))
    record = progress.record(entry.number)
    hints = f", {record.hints} of {len(entry.exercise.hints)} hints seen" if record.hints else ""
    console.print(Text(f" {entry}: {record.status}, {record.checks} checks{hints}"))
    for text in record.failing:
        console.print(verdict(console, text, good=False), soft_wrap=True)


def handout(
    *,
    out: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")] = Path("handout.html"),
    for_trainers: Annotated[
        bool,
        typer.Option(
            "--trainer", help="With the usual wrong answers, the hints, the solutions and the quiz's answers."
        ),
    ] = False,
) -> None:
    """Write all exercises and the quiz as one HTML page to print."""
    from orderboard.workshop.catalogue import everything
    from orderboard.workshop.handout import handout as page
    from orderboard.workshop.quiz import questions

    out.write_text(page(everything(), questions(), for_trainers=for_trainers))
    _say(f"Written: {relative(out.resolve())}. Open it in a browser, and print it.")


def _open(workshop: "Workshop", entry: "Entry", *, json_output: bool) -> None:
    from orderboard.terminal.markdown import print_markdown

    try:
        with progress_screen() as screen, screen.task(f"Exercise {entry.number}") as task:
            workshop.say = task.detail
            record = workshop.open(entry)
    except KeyboardInterrupt as exc:
        raise KeyboardInterrupt(
            f"Interrupted: exercise {entry.number} is not open. Open it: orderboard workshop open {entry.number}"
        ) from exc
    if json_output:
        print_json(_document(entry, record) | {"files": [str(workshop.files / each) for each in entry.exercise.files]})
        return
    console = result_console()
    console.print(Text(f"\n {entry}", style="bold"))
    console.print(f" about {entry.readme.minutes} minutes\n", style="dim")
    print_markdown(console, to_paste(entry.readme.text()))
    for name in entry.exercise.files:
        _say(f"\n Your file: {relative(workshop.files / name)}")
    _say("\nWhen you are done: orderboard workshop check. Stuck: orderboard workshop hint")


def _start_system() -> None:
    from orderboard.cli.up import up

    up(allow_faults=True)


def attendees_workshop() -> "Workshop":
    """Return the workshop of this workspace, which shows its progress on stderr and reports to the wall."""
    from orderboard.system.workspace import find_workspace
    from orderboard.workshop.wall.reporter import in_background
    from orderboard.workshop.workshop import Workshop

    return Workshop(
        find_workspace(),
        say=lambda text: error_console().print(f" {text}", markup=False, soft_wrap=True),
        on_change=in_background,
    )


def _document(entry: "Entry", record: "Record") -> dict[str, Any]:
    return {
        "number": entry.number,
        "name": entry.name,
        "title": entry.readme.title,
        "minutes": entry.readme.minutes,
        "status": record.status,
        "hints": record.hints,
        "checks": record.checks,
        "failing": record.failing,
        "minutes_taken": record.minutes,
    }


def _show_kept(kept: "Iterable[Path]") -> None:
    for each in kept:
        _say(f"Your file is kept as {relative(each)}.")


def _say(text: str) -> None:
    result_console().print(to_paste(text), markup=False, soft_wrap=True)

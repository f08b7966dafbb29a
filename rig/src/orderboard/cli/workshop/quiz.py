"""`orderboard workshop quiz`: the questions at the end, in the terminal."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from orderboard.cli.options import JsonOption
from orderboard.errors import UsageError
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import is_interactive, print_json, result_console
from orderboard.terminal.tables import verdict

if TYPE_CHECKING:
    from orderboard.workshop.quiz import Answered, Question

EXAMPLES: Final = ("orderboard workshop quiz", "orderboard workshop quiz 7", "orderboard workshop quiz --json")
_LETTERS: Final = "abcd"


def quiz(
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="Only this question.", show_default=False)] = None,
    *,
    answers: Annotated[bool, typer.Option("--answers", help="Show the answers; ask nothing.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Answer 15 questions. The lab has an experiment that proves each answer. Exit 0: all right. 1: not all.

    Ctrl-C ends it; the result so far is shown.
    """
    from orderboard.workshop.quiz import questions

    every = dict(enumerate(questions(), start=1))
    if number is not None and number not in every:
        raise UsageError(f"Question {number}: expected 1 to {len(every)}.")
    asked = every if number is None else {number: every[number]}
    if json_output:
        print_json([{"number": count, **each.model_dump()} for count, each in asked.items()])
        return
    console = result_console()
    if answers:
        for count, question in asked.items():
            _ask(console, count, len(every), question)
            _explain(console, question)
        return
    if not is_interactive():
        raise UsageError("The quiz asks in a terminal. To read it: orderboard workshop quiz --answers, or --json.")
    given: list[Answered] = []
    try:
        for count, question in asked.items():
            _ask(console, count, len(every), question)
            given.append(_answer(question))
            console.print(verdict(console, "Right." if given[-1].right else "Not right.", good=given[-1].right))
            _explain(console, question)
    except EOFError:
        console.print()
    finally:
        right = sum(each.right for each in given)
        console.print(f"\n {right} of {len(given)} right.", style="bold", markup=False)
    raise typer.Exit(0 if right == len(asked) else 1)


def _ask(console: Console, number: int, count: int, question: "Question") -> None:
    console.print(Text(f"\n {number} of {count}  {question.text}", style="bold"))
    for letter, answer in zip(_LETTERS, question.answers, strict=False):
        console.print(Padding(Text(f"{letter}  {answer}"), (0, 3)))


def _answer(question: "Question") -> "Answered":
    from orderboard.workshop.quiz import answered

    while True:
        try:
            return answered(question, input(" Your answer: "))
        except UsageError as exc:
            print(f" {exc}")


def _explain(console: Console, question: "Question") -> None:
    letter = _LETTERS[question.right - 1]
    console.print(Padding(Text(f"{letter}. {question.why}"), (0, 3)))
    console.print(Padding(Text(to_paste(f"Prove it: orderboard lab run {question.proof}"), style="dim"), (0, 3)))

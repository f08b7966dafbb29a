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
    from collections.abc import Mapping

    from orderboard.workshop.quiz import Question
    from orderboard.workshop.workshop import Workshop

EXAMPLES: Final = ("orderboard workshop quiz", "orderboard workshop quiz 7", "orderboard workshop quiz --again")
_LETTERS: Final = "abcd"


def quiz(
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="Only this question.", show_default=False)] = None,
    *,
    answers: Annotated[bool, typer.Option("--answers", help="Show the answers; ask nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Forget your answers, and begin again.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Answer 15 questions. The lab has an experiment that proves each answer. Exit 0: all right. 1: not all.

    Your answers are kept, here and on the console's page: after Ctrl-C it goes on with what is left.
    """
    from orderboard.cli.workshop.exercises import attendees_workshop
    from orderboard.workshop.quiz import question, questions, score

    every = dict(enumerate(questions(), start=1))
    asked: Mapping[int, Question] = every if number is None else {number: question(number)}
    if json_output:
        print_json([{"number": count, **each.model_dump()} for count, each in asked.items()])
        return
    console = result_console()
    if answers:
        for count, each in asked.items():
            _ask(console, count, len(every), each)
            _explain(console, each)
        return
    if not is_interactive():
        raise UsageError("The quiz asks in a terminal. To read it: orderboard workshop quiz --answers, or --json.")
    workshop = attendees_workshop()
    if again:
        workshop.forget_answers()
    if number is None:
        asked = _left(workshop, asked)
    try:
        for count, each in asked.items():
            _ask(console, count, len(every), each)
            right = _answer(workshop, count)
            console.print(verdict(console, "Right." if right else "Not right.", good=right))
            _explain(console, each)
    except EOFError:
        console.print()
    finally:
        kept = workshop.progress().quiz
        console.print(f"\n {score(kept)}", style="bold", markup=False)
    expected = every if number is None else asked
    raise typer.Exit(0 if all(kept.get(count) == each.right for count, each in expected.items()) else 1)


def _left(workshop: "Workshop", every: "Mapping[int, Question]") -> "Mapping[int, Question]":
    """Return the questions that are not answered yet; all, with their answers forgotten, if none is left."""
    given = workshop.progress().quiz
    if left := {number: each for number, each in every.items() if number not in given}:
        return left
    workshop.forget_answers()
    return every


def _ask(console: Console, number: int, count: int, question: "Question") -> None:
    console.print(Text(f"\n {number} of {count}  {question.text}", style="bold"))
    for letter, answer in zip(_LETTERS, question.answers, strict=False):
        console.print(Padding(Text(f"{letter}  {answer}"), (0, 3)))


def _answer(workshop: "Workshop", number: int) -> bool:
    from orderboard.workshop.quiz import answered, question

    while True:
        try:
            choice = answered(question(number), input(" Your answer: ")).choice
        except UsageError as exc:
            print(f" {exc}")
        else:
            return workshop.answer(number, choice).right


def _explain(console: Console, question: "Question") -> None:
    letter = _LETTERS[question.right - 1]
    console.print(Padding(Text(f"{letter}. {question.why}"), (0, 3)))
    console.print(Padding(Text(to_paste(f"Prove it: orderboard lab run {question.proof}"), style="dim"), (0, 3)))

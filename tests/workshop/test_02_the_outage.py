"""Exercise 2: the outage."""

from typing import ClassVar

from orderboard.workshop.board import Board
from workshop.checked_exercise import CheckedExercise, WrongAnswers


def _no_outage(board: Board) -> None:
    board.place_kinds({"normal": 20})


def _frozen(board: Board) -> None:
    board.workers.act("worker-1", "freeze")
    board.place_kinds({"normal": 20})
    board.workers.act("worker-1", "thaw")


def _never_started(board: Board) -> None:
    board.workers.act("worker-1", "kill")
    board.place_kinds({"normal": 5})


class TestTheOutage(CheckedExercise):
    """Its check."""

    number = 2
    wrong: ClassVar[WrongAnswers] = {
        "the worker was there all the time": (_no_outage, "0 messages waited"),
        "a frozen worker's connection still receives": (_frozen, "stop the worker first"),
        "a handful of orders, and the worker is never started again": (_never_started, "No worker runs"),
    }

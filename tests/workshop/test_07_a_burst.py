"""Exercise 7: a burst. Its tests wait for bursts and for workers that start."""

from typing import ClassVar

from orderboard.workshop.board import Board
from workshop.checked_exercise import CheckedExercise, WrongAnswers


def _two(board: Board) -> None:
    board.workers.scale(2)


def _four(board: Board) -> None:
    board.workers.scale(4)


def _faster_coffee(board: Board) -> None:
    board.workers.set_environment({"ORDERBOARD_PREPARATION_MS": "0"})


def _more_at_once(board: Board) -> None:
    board.workers.set_environment({"ORDERBOARD_WORKER_CONCURRENCY": "12", "ORDERBOARD_PREPARATION_MS": "200"})


class TestABurst(CheckedExercise):
    """Its check."""

    number = 7
    wrong: ClassVar[WrongAnswers] = {
        "two workers": (_two, "3 s at most"),
        "one too many": (_four, "4 workers run: fewer drain the burst"),
        "coffee without time": (_faster_coffee, "ORDERBOARD_PREPARATION_MS is 0 instead of 200"),
        "one worker with more at once": (_more_at_once, "ORDERBOARD_WORKER_CONCURRENCY is 12 instead of 4"),
    }

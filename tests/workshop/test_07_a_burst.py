"""Exercise 7: a burst. Its tests wait for bursts and for workers that start."""

from typing import ClassVar

from orderboard.system.workers import condition
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry, find
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers


def _two(board: Board) -> None:
    board.workers.scale(2)


def _four(board: Board) -> None:
    board.workers.scale(4)


def _faster_coffee(board: Board) -> None:
    board.workers.set_environment({"ORDERBOARD_PREPARATION_MS": "0"})


class TestABurst(CheckedExercise):
    """Its check."""

    number = 7
    wrong: ClassVar[WrongAnswers] = {
        "two workers": (_two, "3 s at most"),
        "one too many": (_four, "4 workers run: fewer drain the burst"),
        "coffee without time": (_faster_coffee, "ORDERBOARD_PREPARATION_MS is 0 instead of 200"),
    }

    def test_an_opening_leaves_the_first_worker_as_after_up(self, workshop: Workshop, entry: Entry) -> None:
        """The first worker runs alone and as it was, also if it was stopped and others run with other settings."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            board.workers.act("worker-1", "stop")
            board.workers.add()

        workshop.open(find("8"))

        assert [(each.name, condition(each)) for each in workshop.workers.all()] == [("worker-1", "running")]
        assert "ORDERBOARD_PREPARATION_MS" not in workshop.workers.environment

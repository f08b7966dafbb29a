"""Exercise 2: the outage."""

from typing import ClassVar

from orderboard.system.workers import condition
from orderboard.workshop.board import Board
from workshop.checked_exercise import CheckedExercise, WrongAnswers


def _stop(board: Board) -> None:
    board.workers.act("worker-1", "stop")
    assert board.eventually(
        lambda: condition(board.workers.named("worker-1")) == "stopped", within_s=10, waiting_for="the worker's end"
    )


def _orders_first(board: Board) -> None:
    order_ids = board.place_kinds({"normal": 20})
    assert board.eventually(lambda: board.orders().keys() >= set(order_ids), within_s=10, waiting_for="the orders")
    _stop(board)
    board.workers.act("worker-1", "start")


def _never_started(board: Board) -> None:
    _stop(board)
    board.place_kinds({"normal": 20})


def _too_few(board: Board) -> None:
    _stop(board)
    board.place_kinds({"normal": 5})
    board.workers.act("worker-1", "start")


class TestTheOutage(CheckedExercise):
    """Its check."""

    number = 2
    wrong: ClassVar[WrongAnswers] = {
        "orders first, then the outage": (_orders_first, "stop the worker first"),
        "the worker is never started again": (_never_started, "No worker runs"),
        "a handful of orders": (_too_few, "place 20 orders"),
    }

"""Exercise 1: follow an order."""

import json
import shutil
from typing import ClassVar

import pytest
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, unmet

_TEA = {"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 1}]}


def _two_keys(board: Board) -> None:
    board.place(_TEA, _TEA)


def _small(board: Board) -> None:
    board.place({"customer_id": "ada", "lines": [{"sku": "catering-box", "quantity": 1}]})


def _only_late(board: Board) -> None:
    [order_id] = board.place(_TEA)
    assert board.eventually(lambda: order_id in board.orders(), within_s=10, waiting_for="the order")
    board.cancel(order_id)


def _answers_without_orders(board: Board) -> None:
    shutil.copyfile(board.folder / "solution" / "my_answers.json", board.files / "my_answers.json")


class TestFollowAnOrder(CheckedExercise):
    """Its check."""

    number = 1
    wrong: ClassVar[WrongAnswers] = {
        "sent twice with two keys": (_two_keys, "No order was accepted more than once"),
        "one catering box": (_small, "the largest so far is 89.00 EUR"),
        "a cancellation that is too late": (_only_late, "No order is cancelled in time"),
        "the answers without the orders": (
            _answers_without_orders,
            "queue of the express order: there is no such order",
        ),
    }

    def test_wrong_answers_in_the_file_are_found(
        self, workshop: Workshop, entry: Entry, subtests: pytest.Subtests
    ) -> None:
        """With all orders placed, an answer that is missing or wrong is named; a short name is right."""
        workshop.open(entry)
        workshop.apply_solution(entry)
        path = workshop.files / "my_answers.json"
        solved = json.loads(path.read_text())
        changes = {
            "queue of the express order": ("orderboard-work", "orderboard-work is not what the timeline says"),
            "rule that matched the large order": ("Events-Archive-orderboard", "Look again: orderboard show"),
            "queue of the cancellation": ("", "not answered"),
            "messages of the order sent twice": (1, "1 is not what the timeline says"),
        }

        for question, (answer, reason) in changes.items():
            path.write_text(json.dumps(solved | {question: answer}))
            with subtests.test(question):
                found = unmet(workshop.check(entry))
                assert f"my_answers.json, {question}: " in found
                assert reason in found
        for text, reason in (("{", "is not valid JSON"), ("[]", "must be one JSON object")):
            path.write_text(text)
            assert reason in unmet(workshop.check(entry))
        path.write_text(json.dumps(solved | {"queue of the express order": "express"}))
        assert workshop.check(entry).solved

"""The quiz: its file, its proofs, and what counts as an answer."""

import pytest
from orderboard.errors import UsageError
from orderboard.lab.catalogue import names
from orderboard.workshop.quiz import Question, answered, questions
from pydantic import ValidationError


def test_each_of_fifteen_answers_has_an_experiment_that_proves_it() -> None:
    """Every proof is the name of an experiment of the lab, and no question comes twice."""
    assert len(questions()) == 15
    assert {each.proof for each in questions()} <= names().keys()
    assert len({each.text for each in questions()}) == 15


def test_the_right_answers_are_spread_over_the_letters() -> None:
    """Always answering the same letter gets fewer than half of them right."""
    for choice in (1, 2, 3):
        assert sum(each.right == choice for each in questions()) < 8


@pytest.mark.parametrize(("typed", "choice"), [("a", 1), (" B\n", 2), ("3", 3)])
def test_a_letter_or_a_number_is_an_answer(typed: str, choice: int) -> None:
    """Capitals, spaces and numbers are taken."""
    question = questions()[0]

    given = answered(question, typed)

    assert given.choice == choice
    assert given.right == (choice == question.right)


@pytest.mark.parametrize("typed", ["", "d", "0", "4", "ab", "²", "yes"])
def test_anything_else_is_refused_with_the_letters(typed: str) -> None:
    """The error names the letters that there are."""
    with pytest.raises(UsageError, match="expected a, b or c"):
        answered(questions()[0], typed)


def test_a_right_answer_beyond_the_last_is_refused() -> None:
    """A mistake in the file is found when it is read."""
    with pytest.raises(ValidationError, match="there are 2 answers"):
        Question(text="?", answers=("a", "b"), right=3, why="", proof="")

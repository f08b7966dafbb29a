"""The tests of every exercise: its check refuses the start state and wrong answers, and accepts the solution."""

from collections.abc import Callable
from typing import ClassVar

import pytest
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry, find
from orderboard.workshop.workshop import Checked, Workshop

# By what it is: the wrong answer, and a part of the sentence that says why it is wrong.
WrongAnswers = dict[str, tuple[Callable[[Board], None], str]]


class CheckedExercise:
    """A test class for one exercise; the subclass names its number and at least three plausible wrong answers.

    one_opening: they are tried one after the other, as an attendee would, for an opening takes seconds. False where one
    answer spoils the next.
    """

    number: ClassVar[int]
    wrong: ClassVar[WrongAnswers]
    one_opening: ClassVar[bool] = True

    @pytest.fixture
    def entry(self, workshop: Workshop) -> Entry:
        """The exercise."""
        del workshop  # the tests of the file run in its workspace
        return find(str(self.number))

    def test_start_state_and_wrong_answers_are_found(
        self, workshop: Workshop, entry: Entry, subtests: pytest.Subtests
    ) -> None:
        """An opened exercise and each of at least three plausible wrong answers are refused, with a reason."""
        assert len(self.wrong) >= 3
        workshop.open(entry)
        with subtests.test("as it was opened"):
            checked = workshop.check(entry)

            assert not checked.solved
            assert all(each.text for each in checked.findings)

        for name, (answer, reason) in self.wrong.items():
            with subtests.test(name):
                if not self.one_opening:
                    workshop.open(entry)
                with workshop.board(entry) as board:
                    answer(board)

                checked = workshop.check(entry)

                assert not checked.solved, name
                assert reason in unmet(checked), f"{name}: {unmet(checked)}"

    def test_solution_is_accepted(self, workshop: Workshop, entry: Entry) -> None:
        """The solution passes the check, also when it is checked twice."""
        workshop.open(entry)
        workshop.apply_solution(entry)

        checked = workshop.check(entry)

        assert checked.solved, unmet(checked)
        assert workshop.check(entry).solved


def deploy_changed(name: str, *replacements: tuple[str, str], of: str = "solution") -> Callable[[Board], None]:
    """Return an answer that deploys a file of the solution, or of the start state, with these texts replaced."""

    def answer(board: Board) -> None:
        text = (board.folder / of / name).read_text()
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        (board.files / name).write_text(text)
        deploy = find(board.folder.name).exercise.deploy
        assert deploy is not None
        deploy(board)

    return answer


def unmet(checked: Checked) -> str:
    """Return the texts of the findings that are not met."""
    return "\n".join(each.text for each in checked.findings if not each.met)

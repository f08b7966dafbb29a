"""Exercise 12: elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

import pytest
from orderboard.errors import UsageError
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.stacks import deploy_text
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, deploy_changed, unmet

_FILE: Final = "my_station.yaml"
_NAME: Final = ("orderboard-workshop-station-orders", "orderboard-workshop-station")
_RETAIN: Final = ("  Orders:\n", "  Orders:\n    UpdateReplacePolicy: Retain\n")


def _executed(*replacements: tuple[str, str], of: str = "start") -> Callable[[Board], None]:
    deploy = deploy_changed(_FILE, *replacements, of=of)

    def answer(board: Board) -> None:
        deploy(board)
        deploy(board)

    return answer


def _rolled_back_and_set_by_hand(board: Board) -> None:
    with pytest.raises(UsageError, match=r"failed.*DeadLetters: .*already exists"):
        _executed(_NAME, ("orderboard-workshop-station-dlq", "orderboard-workshop-station-waste"))(board)
    url = board.target.queue_url("orderboard-workshop-station")
    board.target.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})


class TestElsewhere(CheckedExercise):
    """Its check."""

    number = 12
    one_opening = False
    wrong: ClassVar[WrongAnswers] = {
        "executed as it came": (_executed(), "has 0 of 5 messages"),
        "the other queue is still removed": (_executed(_NAME), "has 0 of 2 messages"),
        "the old queue is retained": (_executed(_RETAIN), "has 0 of 5 messages"),
        "only looked at": (deploy_changed(_FILE, of="start"), "it replaces or removes 2 resources"),
        "rolled back, and set by hand": (_rolled_back_and_set_by_hand, "The stack is UPDATE_ROLLBACK_COMPLETE"),
        "nothing is changed but one setting": (
            _executed(("VisibilityTimeout: 60", "VisibilityTimeout: 30"), of="solution"),
            "VisibilityTimeout is 30, not 60",
        ),
    }

    def test_a_change_set_shows_its_dangerous_lines(self, workshop: Workshop, entry: Entry) -> None:
        """The command prints the replacement and the removal, and changes nothing."""
        workshop.open(entry)
        (workshop.files / _FILE).write_bytes((entry.folder / "start" / _FILE).read_bytes())

        lines = workshop.deploy(entry).splitlines()

        assert any("Modify  Orders" in each and "Replacement: True  QueueName" in each for each in lines)
        assert "  Remove  Waste (AWS::SQS::Queue)" in lines
        assert "has 0 of" not in unmet(workshop.check(entry))

    def test_a_stack_without_its_queue_is_a_finding(self, workshop: Workshop, entry: Entry) -> None:
        """A stack without its queue, or without anything, is named, and the check goes no further."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            deploy_text(board, "Resources: {Topic: {Type: AWS::SNS::Topic}}", f"{board.own}-station", _FILE)

        assert "cannot be read, so its messages are lost" in unmet(workshop.check(entry))

    def test_a_stack_elsewhere_counts_once_it_has_an_order(
        self, workshop: Workshop, entry: Entry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Order Board at LocalStack's address is accepted, with an order in its table."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            own = board.target.endpoint
            looked_up = entry.exercise.check.__globals__
            monkeypatch.setitem(looked_up, "detect", lambda url: replace(own, name="localstack", endpoint_url=url))
            monkeypatch.setitem(looked_up, "_LOCALSTACK", own.endpoint_url)
            board.place_kinds({"normal": 1})
            assert board.eventually(board.orders, within_s=30, waiting_for="the order")

        checked = workshop.check(entry)

        assert checked.solved
        assert "runs on LocalStack" in checked.findings[0].text

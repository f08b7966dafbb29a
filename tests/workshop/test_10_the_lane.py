"""Exercise 10: the lane."""

from collections.abc import Callable
from typing import ClassVar, Final

from orderboard.workshop.board import Board
from workshop.checked_exercise import CheckedExercise, WrongAnswers, deploy_changed

_TEMPLATE: Final = "my_lane.yaml"
_SENDER: Final = "my_sender.py"
_GROUP, _ID = 'event["customer"]', 'event["id"]'
_REDRIVE: Final = (
    "      RedrivePolicy:\n        deadLetterTargetArn: !GetAtt LaneDlq.Arn\n        maxReceiveCount: 3\n",
    "",
)


def _sender(*replacements: tuple[str, str], template: tuple[tuple[str, str], ...] = ()) -> Callable[[Board], None]:
    def answer(board: Board) -> None:
        text = (board.folder / "solution" / _SENDER).read_text()
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        (board.files / _SENDER).write_text(text)
        deploy_changed(_TEMPLATE, *template)(board)

    return answer


class TestTheLane(CheckedExercise):
    """Its check."""

    number = 10
    wrong: ClassVar[WrongAnswers] = {
        "one group for all": (_sender((_GROUP, '"orders"')), "nothing was made for ada and alan and gordon"),
        "a group for each order": (_sender((_GROUP, 'event["order"]')), "in hand at once"),
        "no dead-letter queue": (_sender(template=(_REDRIVE,)), "no queue takes it away"),
        "a new id at each attempt": (_sender((_ID, "__import__('uuid').uuid4().hex")), "10 are in the lane twice"),
        "deduplication by content that changes": (
            _sender(
                (f'        "MessageDeduplicationId": {_ID},', ""),
                template=(
                    (
                        "FifoQueue: true\n      Redrive",
                        "FifoQueue: true\n      ContentBasedDeduplication: true\n      Redrive",
                    ),
                ),
            ),
            "10 are in the lane twice",
        ),
        "the order is the id": (_sender((_ID, 'event["order"]')), "SQS took 4 for repetitions"),
        "an order's type is the id": (_sender((_ID, 'event["order"] + event["type"]')), "SQS took 1 for repetitions"),
        "customers of one letter share a group": (_sender((_GROUP, f"{_GROUP}[0]")), "nothing was made for gordon"),
        "a body that says nothing": (_sender(("json.dumps(event)", '"{}"')), "has not its order and type"),
        "four receives": (
            _sender(template=(("maxReceiveCount: 3", "maxReceiveCount: 4"),)),
            "after 4 receives (expected: 3)",
        ),
        "a parameter that SendMessage does not have": (
            _sender(('"MessageGroupId"', '"MessageGroup"')),
            "SendMessage has no parameter MessageGroup;",
        ),
        "no group": (_sender((f'        "MessageGroupId": {_GROUP},', "")), "SQS refused a message"),
    }

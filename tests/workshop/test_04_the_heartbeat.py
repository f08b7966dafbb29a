"""Exercise 4: the heartbeat."""

from collections.abc import Callable
from typing import ClassVar

from orderboard.workshop.board import Board
from workshop.checked_exercise import CheckedExercise, WrongAnswers

_RECEIVED = """
def work(sqs, queue_url, make):
    while True:
        for message in sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=2).get("Messages", []):
"""
_DELETE = "sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message['ReceiptHandle'])"
_EXTEND = (
    "sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=message['ReceiptHandle'], VisibilityTimeout=2)"
)
_MAKE = "make(message['Body'])"


def _steps(*steps: str) -> Callable[[Board], None]:
    def write(board: Board) -> None:
        lines = "".join(f"            {step}\n" for step in steps)
        (board.files / "my_worker.py").write_text(_RECEIVED + lines)

    return write


def _longer_timeout(board: Board) -> None:
    url = board.target.queue_url(f"{board.own}-slow")
    board.target.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    _steps(_MAKE, _DELETE)(board)


def _long_beats(board: Board) -> None:
    text = (board.folder / "solution" / "my_worker.py").read_text()
    (board.files / "my_worker.py").write_text(text.replace("VISIBILITY_TIMEOUT_S = 2\n", "VISIBILITY_TIMEOUT_S = 10\n"))


class TestTheHeartbeat(CheckedExercise):
    """Its check."""

    number = 4
    wrong: ClassVar[WrongAnswers] = {
        "a timeout just long enough": (_longer_timeout, "nobody has taken it over"),
        "a heartbeat that hides for long": (_long_beats, "nobody has taken it over"),
        "extended once": (_steps(_EXTEND, _MAKE, _DELETE), "alive and still making it"),
        "deleted before it is made": (_steps(_DELETE, _MAKE), "the order is lost"),
        "a dead worker": (_steps("__import__('os')._exit(1)"), "its process has ended (exit code 1)"),
    }

"""Exercise 6: poison."""

import json
from typing import ClassVar

from orderboard.orders.redrive import plan, redrive
from orderboard.workshop.board import Board, policy
from workshop.checked_exercise import CheckedExercise, WrongAnswers

_ALARM = "orderboard-work-dlq-not-empty"


def _ring(board: Board) -> None:
    board.target.cloudwatch.set_alarm_state(AlarmName=_ALARM, StateValue="ALARM", StateReason="a trial")


def _redrive(board: Board, name: str) -> None:
    redrive(board.target.sqs, plan(name, board.target.outputs), board.target.outputs, lambda _done, _total: None)


def _purge(board: Board) -> None:
    _ring(board)
    for name in (board.target.outputs.work_dlq, board.target.outputs.express_dlq):
        board.target.sqs.purge_queue(QueueUrl=board.target.queue_url(name))


def _too_early(board: Board) -> None:
    _ring(board)
    _redrive(board, "work")
    _redrive(board, "express")


def _one_by_hand(board: Board) -> None:
    url = board.target.queue_url(board.target.outputs.express_dlq)
    [message] = board.target.sqs.receive_message(QueueUrl=url)["Messages"]
    board.target.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _more_receives(board: Board) -> None:
    _ring(board)
    url = board.target.queue_url(board.target.outputs.work_queue)
    found = policy(board.attributes(board.target.outputs.work_queue)["RedrivePolicy"])
    changed = json.dumps({**found, "maxReceiveCount": 50})
    board.target.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": changed})
    _redrive(board, "work")


def _clear_the_inbox(board: Board) -> None:
    board.target.sqs.purge_queue(QueueUrl=board.target.queue_url(board.target.outputs.inbox_queue))


def _express_is_forgotten(board: Board) -> None:
    _ring(board)
    board.workers.set_environment({"ORDERBOARD_ALLOW_FAULTS": "false"})
    _redrive(board, "work")


class TestPoison(CheckedExercise):
    """Its check."""

    number = 6
    one_opening = False
    wrong: ClassVar[WrongAnswers] = {
        "the dead letters are purged": (_purge, "4 of 16 accepted orders are lost"),
        "redriven before the fix": (_too_early, "A redrive has brought them back"),
        "received and deleted by hand": (_one_by_hand, "1 of 16 accepted orders are lost"),
        "a greater maxReceiveCount": (_more_receives, "orderboard-work has a maxReceiveCount of 50 instead of 5"),
        "the express queue is forgotten": (
            _express_is_forgotten,
            "1 order is a dead letter (1 in orderboard-express-dlq). The customers still wait.",
        ),
        "the alarm's message is thrown away": (_clear_the_inbox, f"no message of the alarm {_ALARM}"),
    }

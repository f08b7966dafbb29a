"""Exercise 3: tight against loose."""

from collections.abc import Callable
from typing import ClassVar

from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, unmet

_CALL = """
import json, os, time, threading
from http.client import HTTPConnection

def call(order):
    barista = HTTPConnection(os.environ["BARISTA"], timeout=5)
    barista.request("POST", "/", body=json.dumps(order))
    barista.getresponse()
"""


def _file(text: str) -> Callable[[Board], None]:
    def write(board: Board) -> None:
        (board.files / "my_cashier.py").write_text(text)

    return write


_SWALLOWS = """
def take(order):
    try:
        call(order)
    except Exception:
        pass
"""
_FALLS_BACK = """
import boto3

def post(*orders):
    for order in orders:
        boto3.client("sqs").send_message(QueueUrl=os.environ["BOARD_QUEUE_URL"], MessageBody=json.dumps(order))

def take(order):
    try:
        call(order)
    except OSError:
        post(order)
"""
_COLLECTS = (
    _FALLS_BACK
    + """
collected = []

def take(order):
    collected.append(order)
    if len(collected) == 2:
        post(*collected)
        collected.clear()
"""
)
_REPEATS = """
def take(order):
    while True:
        try:
            return call(order)
        except OSError:
            time.sleep(0.05)
"""
_IN_MEMORY = """
waiting = []

def take(order):
    waiting.append(order)

def deliver():
    while True:
        try:
            call(waiting[0])
            waiting.pop(0)
        except (IndexError, OSError):
            time.sleep(0.05)

threading.Thread(target=deliver, daemon=True).start()
"""


class TestTightAgainstLoose(CheckedExercise):
    """Its check."""

    number = 3
    wrong: ClassVar[WrongAnswers] = {
        "the failure is swallowed": (_file(_CALL + _SWALLOWS), "were promised and lost"),
        "the call is repeated until it succeeds": (_file(_CALL + _REPEATS), "the customer waited"),
        "the board is only for the outage": (_file(_CALL + _FALLS_BACK), "8 customers waited for the barista"),
        "two orders are posted as one": (_file(_CALL + _COLLECTS), "were promised and lost"),
        "the orders wait in the till's memory": (_file(_CALL + _IN_MEMORY), "were promised and lost"),
        "a syntax error": (_file("def take(order)\n"), "my_cashier.py does not work: line 1: SyntaxError"),
        "no function": (_file("takes = 1\n"), "the file has no function take"),
    }

    def test_check_survives_a_deleted_queue(self, workshop: Workshop, entry: Entry) -> None:
        """An attendee who deleted the queue reads that the exercise must be opened again."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            board.target.sqs.delete_queue(QueueUrl=board.target.queue_url(f"{board.own}-board"))

        assert "Open the exercise again" in unmet(workshop.check(entry))

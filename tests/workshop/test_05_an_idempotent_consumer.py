"""Exercise 5: an idempotent consumer."""

from collections.abc import Callable
from typing import ClassVar

import pytest
from orderboard.system.localbus import FAULTS
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, unmet

_SOLVED_RECORD = """
def record(event, table):
    try:
        table.update_item(
            Key={"id": event["order_id"]}, UpdateExpression="SET version = :v, #s = :s",
            ConditionExpression="attribute_not_exists(version) OR version < :v",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={":v": event["version"], ":s": event["type"]})
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        pass
"""
_ADD = """
def add(event, table):
    table.update_item(
        Key={"id": event["customer"]}, UpdateExpression="ADD stamps :one", ExpressionAttributeValues={":one": 1})
"""
_MEMORY = """
seen = set()

def handle(message, sqs, queue_url, table):
    event = json.loads(message["Body"])
    if event["type"] == "paid" and event["order_id"] not in seen:
        seen.add(event["order_id"])
        add(event, table)
    record(event, table)
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
"""
_GET_THEN_PUT = """
def handle(message, sqs, queue_url, table):
    event = json.loads(message["Body"])
    note = {"id": "stamped " + event["order_id"]}
    if event["type"] == "paid" and "Item" not in table.get_item(Key=note, ConsistentRead=True):
        table.put_item(Item=note)
        add(event, table)
    record(event, table)
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
"""
_NOTE_THEN_WORK = """
def handle(message, sqs, queue_url, table):
    event = json.loads(message["Body"])
    if event["type"] == "paid":
        try:
            table.put_item(
                Item={"id": "stamped " + event["order_id"]}, ConditionExpression="attribute_not_exists(id)")
            add(event, table)
        except table.meta.client.exceptions.ConditionalCheckFailedException:
            pass
    record(event, table)
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
"""


def _file(text: str) -> Callable[[Board], None]:
    def write(board: Board) -> None:
        (board.files / "my_consumer.py").write_text(text)

    return write


def _handled(text: str) -> Callable[[Board], None]:
    return _file(f"import json\n{_ADD}{_SOLVED_RECORD}{text}")


def _solution(*replaced: tuple[str, str]) -> Callable[[Board], None]:
    def write(board: Board) -> None:
        text = (board.folder / "solution" / "my_consumer.py").read_text()
        for before, after in replaced:
            assert before in text
            text = text.replace(before, after)
        (board.files / "my_consumer.py").write_text(text)

    return write


_DELETE = '    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])\n'
_FIRST = '    event = json.loads(message["Body"])\n'
_ONE_FAILURE = """except client.exceptions.TransactionCanceledException as exc:
        if exc.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise
"""


class TestAnIdempotentConsumer(CheckedExercise):
    """Its check."""

    number = 5
    wrong: ClassVar[WrongAnswers] = {
        "ids in memory": (_handled(_MEMORY), "given more than once"),
        "get, then put": (_handled(_GET_THEN_PUT), "given more than once"),
        "conditional put, effect outside of it": (_handled(_NOTE_THEN_WORK), "A payment was not counted"),
        "delete before the work": (_solution((_DELETE, ""), (_FIRST, _FIRST + _DELETE)), " deleted"),
        "an older event over a newer one": (
            _solution((' OR version < :version"', ' OR version <> :version"')),
            "orders are not in their last state",
        ),
        "any failure is taken for a repetition": (
            _solution((_ONE_FAILURE, "except Exception:\n        pass\n")),
            "The table refused transactions, and later updates, for a moment. A payment",
        ),
        "a late payment is ignored": (
            _solution(('"paid":', '"paid" and "Item" not in table.get_item(Key={"id": event["order_id"]}):')),
            "A payment was not counted",
        ),
    }

    def test_each_file_gets_a_finding_and_leaves_nothing(
        self, workshop: Workshop, entry: Entry, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file that hangs, ends its process, or is gone gets a clear finding; faults and queues are as before."""
        monkeypatch.setitem(entry.exercise.check.__globals__, "_HANDLED_WITHIN_S", 1.0)
        cases: dict[str, Callable[[Board], None]] = {
            "handle does not return": _file("def handle(*_):\n    while True: pass\n"),
            "cannot be used: SyntaxError": _file("def handle(:\n"),
            "handle returned, and did not delete its message": _solution((_DELETE, "")),
            "my_consumer.py is missing": lambda board: (board.files / "my_consumer.py").unlink(),
        }
        workshop.open(entry)
        with workshop.board(entry) as board:
            before = board.target.sqs.list_queues()["QueueUrls"]
            faults = board.engine.get(FAULTS)
            for reason, write in cases.items():
                with subtests.test(reason):
                    write(board)
                    assert reason in unmet(workshop.check(entry))

            assert board.target.sqs.list_queues()["QueueUrls"] == before
            assert board.engine.get(FAULTS) == faults

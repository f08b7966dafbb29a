"""An idempotent consumer: the attendee's `handle` on a real queue, with repetitions, failures, a kill, and disorder."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from orderboard.system.client_environment import client_environment
from orderboard.system.localbus import FAULTS
from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding, nothing

FILE: Final = "my_consumer.py"
_COPIES: Final = 2
_READY_WITHIN_S: Final = 20.0
_HANDLED_WITHIN_S: Final = 6.0
_VISIBILITY_TIMEOUT_S: Final = 2
_WRITES: Final = ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem", "ExecuteStatement")
_SLOW_WRITE_MS: Final = 60  # two copies that read before they write have both read by then
_CUSTOMERS: Final = ("ada", "alan", "barbara", "edsger", "grace", "katherine", "leslie", "margaret", "niklaus", "radia")
_TOGETHER: Final = 6  # orders that two copies get at once
_ORDERS: Final = 20
_PARTLY: Final = 4  # orders that meet a table which refuses one kind of write
_NEVER_PAID: Final = (9, 14)
_LAST: Final = ("ready", "cancelled")


class _StuckError(Exception):
    """The consumer does not go on; the message says what was seen."""


@dataclass
class _Consumer:
    """Copies of the attendee's program, on a queue and a table of this check. orders: ids, by their numbers."""

    board: Board
    name: str = field(default_factory=lambda: f"check-{uuid4().hex[:8]}")
    _copies: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)
    _reports: list[Path] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        sqs, table = self.board.target.sqs, f"{self.board.own}-{self.name}"
        attributes: Any = {"VisibilityTimeout": str(_VISIBILITY_TIMEOUT_S)}
        self.queue_url = sqs.create_queue(QueueName=table, Attributes=attributes)["QueueUrl"]
        self.table = table
        self.board.target.dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.board.target.dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        self._folder = tempfile.TemporaryDirectory(prefix="workshop-")

    @cached_property
    def orders(self) -> Sequence[str]:
        """The orders' ids: new ones at each check."""
        return [f"{self.name[6:10]}-{number:02}" for number in range(_ORDERS)]

    def customer(self, order_id: str) -> str:
        """Return an order's customer; each has two orders."""
        return _CUSTOMERS[self.orders.index(order_id) // 2]

    def paid(self, orders: Sequence[str]) -> list[str]:
        """Return those that are paid at some time; two are cancelled or handed out without it."""
        return [each for each in orders if self.orders.index(each) not in _NEVER_PAID]

    def last(self, order_id: str) -> str:
        """Return an order's last state, that of its version 3."""
        return _LAST[self.orders.index(order_id) % 2]

    def start(self, copies: int) -> None:
        """Start copies, and wait until they receive."""
        begun = [self._launch() for _ in range(copies)]
        deadline = time.monotonic() + _READY_WITHIN_S
        while not all(self._steps(report, "ready") for report in begun):
            self._alive()
            if time.monotonic() > deadline:
                raise _StuckError(f"{FILE} does not finish its import: nothing was received in {_READY_WITHIN_S:g} s.")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the first copy, whatever it does at this moment."""
        self._copies[0].kill()
        self._copies.pop(0).wait()

    def send(self, events: Sequence[tuple[str, int]]) -> None:
        """Send events, each an order and its version, in this order."""
        bodies = [json.dumps(self._event(*each)) for each in events]
        for start in range(0, len(bodies), 10):
            entries: Any = [
                {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start : start + 10])
            ]
            self.board.target.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)

    def until(self, done: Callable[[], object], waiting_for: str) -> bool:
        """Wait; return whether it came about. Raise _StuckError if a copy has ended by itself."""
        return self.board.eventually(
            lambda: self._alive() and done(), within_s=_HANDLED_WITHIN_S, waiting_for=waiting_for
        )

    def drained(self) -> None:
        """Wait until every message is deleted; raise _StuckError if there are not fewer and fewer."""
        while left := self._left():
            handled = len(self.steps("handled"))
            if not self.until(lambda left=left: self._left() < left, f"{FILE} to handle the events"):  # type: ignore[misc]
                raise _StuckError(f"{left} messages stay in the queue. {self._why(handled)}")

    def _left(self) -> int:
        return self.board.depth(self.table).total

    def steps(self, step: str) -> list[dict[str, Any]]:
        """Return the steps of this kind that the copies have reported."""
        return [each for report in self._reports for each in self._steps(report, step)]

    def receive_counts(self) -> list[int]:
        """Return how often each message in the queue was received."""
        return [each.receive_count or 0 for each in self.board.messages(self.table)]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the table's rows, by their ids."""
        pages = self.board.target.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        deserialize = TypeDeserializer().deserialize
        rows = ({name: deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"])
        return {row["id"]: row for row in rows}

    def close(self) -> None:
        """End the copies, and remove the queue and the table."""
        for each in self._copies:
            each.kill()
            each.wait()
        with suppress(ClientError):
            self.board.target.sqs.delete_queue(QueueUrl=self.queue_url)
        with suppress(ClientError):
            self.board.target.dynamodb.delete_table(TableName=self.table)
        self._folder.cleanup()

    def _why(self, handled_before: int) -> str:
        if raised := self.steps("raised"):
            return f"The last exception: {raised[-1]['error']}."
        if len(self.steps("handled")) > handled_before:
            return "handle returned, and did not delete its message."
        return "handle does not return."

    def _event(self, order_id: str, version: int) -> dict[str, object]:
        kind = {1: "placed", 2: "paid", 3: self.last(order_id)}[version]
        return {"order_id": order_id, "customer": self.customer(order_id), "version": version, "type": kind}

    def _launch(self) -> Path:
        number = len(self._reports) + 1
        report = Path(self._folder.name) / f"{number}.jsonl"
        of_clients = client_environment(self.board.target.endpoint, os.environ)
        environment = {**os.environ, **{name: value for name, value in of_clients.items() if value is not None}}
        command = [sys.executable, str(self.board.folder / "run_consumer.py"), "--file", str(self.board.files / FILE)]
        command += ["--queue-url", self.queue_url, "--table", self.table, "--report", str(report)]
        with (self.board.workspace.logs_dir / f"my_consumer-{number}.log").open("wb") as log:
            self._copies.append(
                subprocess.Popen(
                    command,
                    env={**environment, "AWS_MAX_ATTEMPTS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
        self._reports.append(report)
        return report

    def _alive(self) -> bool:
        for each in self._copies:
            if each.poll() is None:
                continue
            failed = self.steps("failed")
            if failed:
                raise _StuckError(f"{FILE} cannot be used: {failed[0]['error']}.")
            raise _StuckError(f"handle has ended the whole process (exit code {each.returncode}).")
        return True

    def _steps(self, report: Path, step: str) -> list[dict[str, Any]]:
        with suppress(FileNotFoundError):
            lines = report.read_text(encoding="utf-8").splitlines(keepends=True)
            return [each for line in lines if line.endswith("\n") and (each := json.loads(line))["step"] == step]
        return []


def check(board: Board) -> Iterator[Finding]:
    """Run the program through trials; the first that fails is the last."""
    if not (board.files / FILE).is_file():
        yield Finding(met=False, text=f"{FILE} is missing. Bring its first version back: orderboard workshop reset")
        return
    consumer = _Consumer(board)
    try:
        consumer.start(_COPIES)
        for trial in (_at_once, _early, _partly, _failures, _late):
            for finding in trial(consumer):
                yield finding
                if not finding.met:
                    return
    except _StuckError as exc:
        yield Finding(met=False, text=f"{exc} Its output: {board.workspace.logs_dir}/my_consumer-1.log")
    finally:
        consumer.close()


def _at_once(consumer: _Consumer) -> Iterator[Finding]:
    with _faulty(consumer.board, "latency", latency_ms=_SLOW_WRITE_MS):
        consumer.send([(order, 2) for order in consumer.orders[:_TOGETHER] for _ in range(2)])
        consumer.drained()
    text = "Every order was paid once, and its event came twice, to two copies of the program at the same time"
    yield _stamps(consumer, consumer.orders[:_TOGETHER], text)


def _early(consumer: _Consumer) -> Iterator[Finding]:
    orders = consumer.orders[_TOGETHER:]
    consumer.send([(order, 3) for order in orders for _ in range(2)])
    consumer.drained()
    yield _states(consumer, orders, "The last event of an order came first, and twice")


def _partly(consumer: _Consumer) -> Iterator[Finding]:
    """Find a program that takes any failure of the stamp for a repetition, and goes on."""
    orders = consumer.orders[-_PARTLY:]
    for action, some in (("TransactWriteItems", orders[::2]), ("UpdateItem", orders[1::2])):
        with _faulty(consumer.board, "error_before", actions=(action,)):
            consumer.send([(order, 2) for order in some])
            consumer.until(lambda: min(consumer.receive_counts(), default=2) > 1, "the failures")
    consumer.drained()
    yield _stamps(consumer, orders, "The table refused transactions, and later updates, for a moment")


def _failures(consumer: _Consumer) -> Iterator[Finding]:
    orders = consumer.orders[_TOGETHER:-_PARTLY]
    paid = consumer.paid(orders)
    with _faulty(consumer.board, "error_before"):
        consumer.send([(order, 2) for order in paid])
        consumer.until(lambda: min(consumer.receive_counts(), default=1) >= 1, "the failures")
        left = consumer.receive_counts()
        yield Finding(
            len(left) == len(paid),
            f"The table refused all writes for a moment: {len(left)} of {len(paid)} messages are still in the queue"
            + ("." if len(left) == len(paid) else ", and the others were deleted although nothing could be written."),
        )
        received = max(left, default=0) + 1
        with _faulty(consumer.board, "error_after"):
            consumer.until(lambda: min(consumer.receive_counts(), default=received) >= received, "the lost answers")
    consumer.kill()
    consumer.start(1)
    consumer.drained()
    text = "The table wrote but its answers were lost, the messages were received again, and one copy was killed"
    yield _stamps(consumer, orders, text)


def _late(consumer: _Consumer) -> Iterator[Finding]:
    again = [(order, version) for version in (3, 1) for order in consumer.orders for _ in range(2)]
    consumer.send([*again, *((order, 2) for order in consumer.paid(consumer.orders))])
    consumer.drained()
    text = "At the end everything came once more, the last event before the first"
    yield _states(consumer, consumer.orders, text)
    yield _stamps(consumer, consumer.orders, text)


def _stamps(consumer: _Consumer, orders: Sequence[str], text: str) -> Finding:
    paid = Counter(map(consumer.customer, consumer.paid(orders)))
    expected = {name: paid[name] for name in map(consumer.customer, orders)}
    rows = consumer.rows()
    found = {name: rows.get(name, {}).get("stamps", 0) for name in expected}
    wrong = [name for name, count in expected.items() if found[name] != count]
    if not wrong:
        return Finding(met=True, text=f"{text}: {paid.total()} paid orders, {paid.total()} stamps.")
    name = wrong[0]
    kind = (
        "A stamp was given more than once, or for no payment"
        if not isinstance(found[name], Decimal | int) or found[name] > expected[name]
        else "A payment was not counted, and its message was deleted"
    )
    return Finding(
        met=False,
        text=f"{text}. {kind}: {name} paid {expected[name]} {_orders(expected[name])}, and the card has "
        f"{found[name]} stamps ({len(wrong)} of {len(expected)} cards are wrong).",
    )


def _orders(count: int) -> str:
    return "order" if count == 1 else "orders"


def _states(consumer: _Consumer, orders: Sequence[str], text: str) -> Finding:
    rows = consumer.rows()
    wrong = [
        each
        for each in orders
        if (rows.get(each, {}).get("version"), rows.get(each, {}).get("state")) != (3, consumer.last(each))
    ]
    if not wrong:
        return Finding(met=True, text=f"{text}: {len(orders)} orders are in their last state.")
    row: Mapping[str, Any] = rows.get(wrong[0], {})
    return Finding(
        met=False,
        text=f"{text}. {len(wrong)} of {len(orders)} orders are not in their last state: {wrong[0]} should have "
        f"version 3, {consumer.last(wrong[0])}, and its row has version {row.get('version', 'none')}, "
        f"{row.get('state', 'no state')}.",
    )


@contextmanager
def _faulty(board: Board, kind: str, *, actions: Sequence[str] = _WRITES, latency_ms: int = 0) -> Iterator[None]:
    """Let writes to tables, all by default, have this fault for a while; then the faults are as they were."""
    before = (board.engine.get(FAULTS) or {}).get("rules", [])
    rules = [{"action": each, "kind": kind, "probability": 1, "latency_ms": latency_ms} for each in actions]
    try:
        board.engine.change("PUT", FAULTS, {"rules": [*rules, *before]})
        yield
    finally:
        board.engine.change("PUT", FAULTS, {"rules": before})


EXERCISE: Final = Exercise(
    prepare=nothing,
    check=check,
    solve=nothing,
    hints=(
        "Two copies may hold the same event at the same moment, and each may end between any two calls. What a program "
        "remembers, or has read before, does not protect; a *condition on the write* is.",
        "The stamp and the note that this order has its stamp must be one write: a transaction of a conditional put "
        "and an update (`table.meta.client.transact_write_items`), or one update whose condition looks at the same "
        "row. The state needs a condition too: write it only over a smaller version.",
        "1. `transact_write_items`: put `stamped ORDER_ID` with `attribute_not_exists(id)`, and ADD the stamp; if the "
        "first is refused by its condition, the stamp is there. 2. `update_item` of the order with "
        "`attribute_not_exists(version) OR version < :version`; refused means that a newer state is there. 3. Only "
        "then `delete_message`. A late `paid` still gives its stamp.",
    ),
    files=(FILE,),
)

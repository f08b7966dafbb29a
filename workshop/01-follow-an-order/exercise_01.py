"""Follow an order: six orders, each ends or is announced in another way, and what happened to them on the way."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orderboard.orders.kinds import SOLD_OUT_SKU
from orderboard.orders.service_logs import log_lines
from orderboard.system.localbus import JournalEntry
from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding, nothing
from orderboard_contracts.alert import Alert, AlertKind
from orderboard_contracts.record import FINAL_STATUSES, OrderRecord

FILE: Final = "my_answers.json"
_ENDED_WITHIN_S: Final = 5.0
_ANNOUNCED_WITHIN_S: Final = 10.0  # the notifier's first start takes seconds
_ACCEPTED, _CANCELLED = "order.accepted", "cancellation.accepted"
_PRIORITY: Final = "place one with the priority express"
_SOLD_OUT: Final = "order what is sold out; a worker rejects it, not order-api"
_LATE: Final = "cancel one that is completed"
_KEY: Final = "send one twice with the same Idempotency-Key"


@dataclass(frozen=True)
class _Seen:
    """The rows and the alerts since the opening."""

    board: Board
    rows: list[OrderRecord]
    alerts: list[Alert]

    def announced(self, kind: AlertKind) -> list[str]:
        """Return the ids of the orders that must have an alert of this kind, and have it."""
        found = {each.order_id for each in self.alerts if each.kind == kind}
        return [order_id for order_id, due in _due(self.board, self.rows) if due == kind and order_id in found]

    def entries(self, order_id: str, log_event: str, event: str) -> list[JournalEntry]:
        """Return the journal's entries of this kind about what order-api published for an order."""
        lines = [each for each in log_lines(self.board.workspace.logs_dir, [order_id]) if each.event == log_event]
        ids = {line.ids[name] for line in lines for name in ("message_id", "bus_event_id") if name in line.ids}
        return [entry for each in ids for entry in self.board.entries(event=event, message_id=each)]

    def queues(self, order_id: str, log_event: str) -> list[str]:
        """Return the name of the queue of each message that SNS has delivered for an order."""
        delivered = [
            each.detail["message_id"]
            for each in self.entries(order_id, log_event, "delivered")
            if isinstance(each.detail, dict) and "message_id" in each.detail
        ]
        sent = [entry for each in delivered for entry in self.board.entries(event="sent", message_id=each)]
        return [_name(each.resource) for each in sent]

    def rules(self, order_id: str) -> list[str]:
        """Return the names of the rules that have matched an order, except the archive's."""
        names = (each.resource.rpartition("/")[2] for each in self.entries(order_id, _ACCEPTED, "matched"))
        return [name for name in names if not name.startswith("Events-Archive-")]


def check(board: Board) -> Iterator[Finding]:
    """Look for an order of each kind in the table and the inbox, then compare the answers with the journal."""
    accepted = Counter(order_id for order_id, _ in board.acceptances())
    seen = _look(board, accepted)
    limit = f"place one for {_large_cents(board) / 100:.2f} EUR or more; the largest so far is {_largest(seen.rows)}"
    cases = (
        ("express order is completed and announced", _PRIORITY, seen.announced("express_ready")),
        ("large order is announced to the barista", limit, seen.announced("large_order")),
        ("order is rejected", _SOLD_OUT, seen.announced("order_rejected")),
        ("order is cancelled in time", _not_cancelled(seen.rows), _with_status(seen.rows, "cancelled")),
        ("order is completed, and its cancellation came too late", _LATE, seen.announced("cancellation_refused")),
        (
            "order was accepted more than once, and is one order",
            _KEY,
            [id_ for id_, count in accepted.items() if count > 1],
        ),
    )
    for what, otherwise, found in cases:
        yield _case(what, otherwise, found)
    express, large, rejected, cancelled, _, twice = (found for _, _, found in cases)
    given = _read(board)
    if isinstance(given, Finding):
        yield given
        return
    recipients = {each.audience for each in seen.alerts if each.order_id in rejected and each.kind == "order_rejected"}

    def queues(order_ids: Sequence[str], log_event: str) -> set[str]:
        return {name for each in order_ids for name in seen.queues(each, log_event)}

    evidence: dict[str, tuple[Sequence[str], set[str]]] = {
        "queue of the express order": (express, queues(express, _ACCEPTED)),
        "rule that matched the large order": (large, {name for each in large for name in seen.rules(each)}),
        "recipient of the alert about the rejected order": (rejected, set(recipients)),
        "queue of the cancellation": (
            cancelled,
            queues(cancelled, _CANCELLED),
        ),
        "messages of the order sent twice": (
            twice,
            {str(n) for each in twice if (n := len(seen.queues(each, _ACCEPTED)))},
        ),
    }
    for question, (order_ids, right) in evidence.items():
        yield _compared(board, question, str(given.get(question, "")).strip(), order_ids, right)


def _look(board: Board, accepted: Iterable[str]) -> _Seen:
    def ended() -> bool:
        rows = board.orders()
        return all(order in rows and rows[order].status in FINAL_STATUSES for order in accepted)

    def announced() -> bool:
        found = {(each.order_id, each.kind) for each in board.alerts()}
        return found >= _due(board, board.orders().values())

    board.eventually(ended, within_s=_ENDED_WITHIN_S, waiting_for="the orders to end")
    board.eventually(announced, within_s=_ANNOUNCED_WITHIN_S, waiting_for="the alerts")
    return _Seen(board, list(board.orders().values()), board.alerts())


def _due(board: Board, rows: Iterable[OrderRecord]) -> set[tuple[str, AlertKind]]:
    """The alerts that these orders must have: each an order's id and a kind."""
    due: set[tuple[str, AlertKind]] = set()
    for row in rows:
        if row.status == "completed" and row.priority == "express":
            due.add((row.order_id, "express_ready"))
        if (row.total_cents or 0) >= _large_cents(board):
            due.add((row.order_id, "large_order"))
        if row.status == "rejected":
            due.add((row.order_id, "order_rejected"))
        logged = log_lines(board.workspace.logs_dir, [row.order_id]) if row.status == "completed" else []
        if any(line.event == _CANCELLED for line in logged):
            due.add((row.order_id, "cancellation_refused"))
    return due


def _case(what: str, otherwise: str, order_ids: Sequence[str]) -> Finding:
    if order_ids:
        more = f" and {len(order_ids) - 1} more" if len(order_ids) > 1 else ""
        return Finding(met=True, text=f"An {what}: {order_ids[0][:8]}{more}.".replace("An large", "A large"))
    return Finding(met=False, text=f"No {what}: {otherwise}.")


def _large_cents(board: Board) -> int:
    return int(board.target.outputs.large_order_cents)


def _largest(rows: Sequence[OrderRecord]) -> str:
    return f"{max((each.total_cents or 0 for each in rows), default=0) / 100:.2f} EUR"


def _with_status(rows: Sequence[OrderRecord], status: str) -> list[str]:
    return [each.order_id for each in rows if each.status == status]


def _not_cancelled(rows: Sequence[OrderRecord]) -> str:
    if pending := _with_status(rows, "cancellation_pending"):
        return f"the cancellation of {pending[0][:8]} waits for its order, which a worker still makes; check again"
    return "cancel one while a worker is still busy with it"


# ---- What attendees have read from the timelines ----


def _read(board: Board) -> dict[str, Any] | Finding:
    try:
        given = json.loads((board.files / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Finding(met=False, text=f"{FILE} is missing. Bring its first version back: orderboard workshop reset")
    except (OSError, ValueError, RecursionError) as exc:
        return Finding(met=False, text=f"{FILE} is not valid JSON: {exc}")
    return given if isinstance(given, dict) else Finding(met=False, text=f"{FILE} must be one JSON object.")


def _compared(board: Board, question: str, answer: str, order_ids: Sequence[str], right: set[str]) -> Finding:
    what = f"{FILE}, {question}"
    if not order_ids:
        return Finding(met=False, text=f"{what}: there is no such order yet.")
    show = f"orderboard show {order_ids[0][:8]}"
    if not right:
        return Finding(met=False, text=f"{what}: the journal begins after this order. Place one more.")
    if answer in ("", "0"):
        return Finding(met=False, text=f"{what}: not answered. Read it from the timeline: {show}")
    names = {answer, _name(answer), f"{board.state.prefix}-{answer}"}
    if names & right:
        return Finding(met=True, text=f"{what}: {answer}.")
    return Finding(met=False, text=f"{what}: {answer} is not what the timeline says. Look again: {show}")


def _name(resource: str) -> str:
    """The last part of an ARN or a URL."""
    return resource.rpartition(":")[2].rpartition("/")[2]


def solve(board: Board) -> None:
    """Place the six orders, and cancel two of them."""
    board.place_kinds({"express": 1, "sold_out": 1})
    [large] = board.place_kinds({"large": 1})
    body = {"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 1}]}
    for _ in range(2):
        board.place(body, key=f"workshop-twice-{board.opened_at.timestamp()}")
    [slow] = board.place({**body, "fault": "slow:1500"})
    board.cancel(slow)
    board.eventually(lambda: large in board.orders(), within_s=_ENDED_WITHIN_S, waiting_for="the large order")
    board.cancel(large)


EXERCISE: Final = Exercise(
    prepare=nothing,
    check=check,
    solve=solve,
    hints=(
        "Each order can be placed with a button or a form (*From the menu*) of the console, or by `orderboard place`. "
        "What is sold out is on the menu all the same: only the worker knows. Try the cinnamon bun.",
        'An order with `"fault": "slow:15000"` keeps a worker busy for 15 seconds: time enough to cancel it. One with '
        "a total of 100 EUR is large: two catering boxes. Sent twice means: the same line with the same "
        '`"idempotency_key"`.',
        "`orderboard show ORDER_ID` has all answers. *Delivered to* names the queue, *Matched by rule* the rule (the "
        "archive's matches everything), *Alerts in the inbox* the recipient. Each message is *Delivered* once.",
    ),
    files=(FILE,),
    worker_environment={"ORDERBOARD_SOLD_OUT": SOLD_OUT_SKU},
)

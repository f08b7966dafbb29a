"""Keeps the proof of the system of the moment: asks its log, its table and its dead-letter queues."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from orderboard.console.accepted import AcceptedOrders
from orderboard.console.board import BoardLook
from orderboard.console.proof import Proof
from orderboard.console.source import Source
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage, browse
from orderboard.orders.dead_letters import dead_letter
from orderboard.orders.queues import Message
from orderboard.system.target import Target

_PEEK_AGAIN_S: Final = 2.0
_PEEKED_A_SECOND: Final = 500  # a long dead-letter queue is looked through less often
_API_LOG: Final = "order-api.log"


@dataclass
class Prover:
    """Looks as often as the board is looked at."""

    source: Source
    _target: Target | None = field(default=None, init=False)
    _accepted: AcceptedOrders = field(default_factory=lambda: AcceptedOrders(Path(_API_LOG)), init=False)
    _proof: Proof | None = field(default=None, init=False)
    _resting: tuple[float, frozenset[str]] = field(default=(float("-inf"), frozenset()), init=False)

    def look(self, board: BoardLook) -> dict[str, Any]:
        """The verdict, or why there is none."""
        target, logs_dir = self.source.target(), self.source.logs_dir
        if not target.endpoint.local:
            return {"why_unknown": "On AWS every read is billed, so the console does not go through the table."}
        if logs_dir is None:
            return {
                "why_unknown": "Which orders were accepted stands in order-api's log, which is not on this machine."
            }
        if self._target is not target or self._proof is None:
            self._target, self._accepted = target, AcceptedOrders(logs_dir / _API_LOG)
            self._proof = Proof(lambda ids: _statuses(target, ids))
        try:
            resting = self._letters(target, board)
        except BrowseUnavailableError as exc:
            return {"why_unknown": str(exc)}
        verdict = self._proof.verdict(
            self._accepted.new(), resting, under_way=_under_way(board), now_s=time.monotonic()
        )
        return {"why_unknown": None, **verdict.document()}

    def _letters(self, target: Target, board: BoardLook) -> frozenset[str]:
        """The orders whose message rests in a dead-letter queue."""
        queues = board.queues
        counts = {
            str(queues[key].dlq_name or queues[key].name): queues[key].dlq
            if queues[key].dlq_name
            else queues[key].waiting
            for key in ("work", "express", "undelivered")
        }
        asked_at, found = self._resting
        total = sum(count or 0 for count in counts.values())
        if total and time.monotonic() - asked_at < max(_PEEK_AGAIN_S, total / _PEEKED_A_SECOND):
            return found
        letters = (
            dead_letter(name, _message(each))
            for name, count in counts.items()
            if count
            for each in browse(target.endpoint, self.source.queue_url(name))
        )
        found = frozenset(each.order_id for each in letters if each.is_order and each.order_id is not None)
        self._resting = (time.monotonic(), found)
        return found


def _under_way(board: BoardLook) -> bool:
    depths = (board.queues[key] for key in ("work", "express"))
    held = sum(each.waiting + each.in_flight + each.delayed for each in depths)
    return held > 0 or any(each.in_hand for each in board.workers or ())


def _statuses(target: Target, order_ids: Collection[str]) -> Mapping[str, str]:
    table = target.outputs.orders_table
    answer = target.dynamodb.batch_get_item(
        RequestItems={
            table: {
                "Keys": [{"order_id": {"S": order_id}} for order_id in order_ids],
                "ConsistentRead": True,
                "ProjectionExpression": "order_id, #status",
                "ExpressionAttributeNames": {"#status": "status"},
            }
        }
    )
    return {row["order_id"]["S"]: row["status"]["S"] for row in answer["Responses"].get(table, [])}


def _message(letter: StoredMessage) -> Message:
    return Message(letter.message_id, letter.body, "", letter.receive_count or 0, letter.attributes)

"""Evidence for the ledger, gathered from the table, the dead-letter queues and the inbox. Nothing is taken away."""

from collections.abc import Collection
from typing import Any, Final

from orderboard_contracts.record import FINAL_STATUSES

from orderboard.ledger.ledger import Announcement, Evidence
from orderboard.ledger.outcome_listener import OutcomeListener
from orderboard.orders.dead_letters import dead_letters
from orderboard.orders.kinds import Ending
from orderboard.orders.queues import alerts
from orderboard.system.target import Target

_ENDINGS: Final[dict[str, Ending]] = {"completed": "completed", "rejected": "rejected", "cancelled": "cancelled"}
_ID_AND_STATUS: Final[dict[str, Any]] = {
    "ProjectionExpression": "order_id, #status",
    "ExpressionAttributeNames": {"#status": "status"},
    "ConsistentRead": True,
}


def gather(target: Target, listener: OutcomeListener) -> Evidence:
    """Read everything once."""
    return Evidence(
        final_rows=final_rows(target),
        outcomes=listener.outcomes,
        dead_letters=tuple(dead_letters(target)),
        announcements=tuple(announcements(target)),
    )


def final_rows(target: Target) -> dict[str, Ending]:
    """Every order that is recorded in a final state. Scans the whole table, which suits measurements only."""
    pages = target.dynamodb.get_paginator("scan").paginate(TableName=target.outputs.orders_table, **_ID_AND_STATUS)
    return _final(item for page in pages for item in page["Items"])


def final_rows_of(target: Target, order_ids: Collection[str], table: str | None = None) -> dict[str, Ending]:
    """Those of these orders (at most 100) that are recorded in a final state. table: another than the stack's.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    table = table or target.outputs.orders_table
    request: Any = {"Keys": [{"order_id": {"S": order_id}} for order_id in order_ids], **_ID_AND_STATUS}
    requests: Any = {table: request}
    found: dict[str, Ending] = {}
    while requests:
        answer = target.dynamodb.batch_get_item(RequestItems=requests)
        found |= _final(answer["Responses"].get(table, []))
        requests = answer.get("UnprocessedKeys")
    return found


def announcements(target: Target) -> list[Announcement]:
    """The alerts in the inbox. Other messages, such as alarms, are left out."""
    return [Announcement(each.id, each.kind, each.order_id) for each in alerts(target)]


def _final(rows: Any) -> dict[str, Ending]:
    statuses = {row["order_id"]["S"]: row["status"]["S"] for row in rows}
    return {order_id: _ENDINGS[status] for order_id, status in statuses.items() if status in FINAL_STATUSES}

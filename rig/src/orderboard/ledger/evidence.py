"""Gathers the evidence for the ledger: the table, the dead-letter queues, the inbox. It takes nothing away."""

from typing import Final

from orderboard_contracts.alert import Alert, NotAnAlert, parse_alert
from orderboard_contracts.record import FINAL_STATUSES

from orderboard.ledger.ledger import Announcement, DeadLetter, Evidence
from orderboard.ledger.outcome_listener import Witness
from orderboard.orders.dead_letters import dead_letter
from orderboard.orders.kinds import Ending
from orderboard.orders.queues import Message, peek
from orderboard.system.target import Target

_ENDINGS: Final[dict[str, Ending]] = {"completed": "completed", "rejected": "rejected", "cancelled": "cancelled"}


def gather(target: Target, witness: Witness) -> Evidence:
    """Look everywhere, once."""
    return Evidence(
        final_rows=final_rows(target),
        outcomes=witness.outcomes,
        dead_letters=tuple(dead_letters(target)),
        announcements=tuple(announcements(target)),
    )


def final_rows(target: Target) -> dict[str, Ending]:
    """Every order that is recorded in a final state. Reads the whole table: for measurements, not for every day."""
    pages = target.dynamodb.get_paginator("scan").paginate(
        TableName=target.outputs.orders_table,
        ConsistentRead=True,
        ProjectionExpression="order_id, #status",
        ExpressionAttributeNames={"#status": "status"},
    )
    rows = {item["order_id"]["S"]: item["status"]["S"] for page in pages for item in page["Items"]}
    return {order_id: _ENDINGS[status] for order_id, status in rows.items() if status in FINAL_STATUSES}


def dead_letter_queues(target: Target) -> tuple[str, ...]:
    """The names of the queues where messages rest that could not be handled or delivered."""
    outputs = target.outputs
    return (
        outputs.work_dlq,
        outputs.express_dlq,
        outputs.alerts_dlq,
        outputs.inbox_dlq,
        outputs.undelivered_queue,
    )


def dead_letters(target: Target) -> list[DeadLetter]:
    """Everything that rests in a dead-letter queue."""
    return [
        dead_letter(queue, message)
        for queue in dead_letter_queues(target)
        for message in peek(target.sqs, target.queue_url(queue))
    ]


def announcements(target: Target) -> list[Announcement]:
    """The alerts in the inbox. Anything else there, such as an alarm, is left out."""
    found = (alert(message) for message in peek(target.sqs, target.queue_url(target.outputs.inbox_queue)))
    return [Announcement(each.id, each.kind, each.order_id) for each in found if each is not None]


def alert(message: Message) -> Alert | None:
    """The alert that a message of the inbox is, None when it is none."""
    try:
        return parse_alert(message.body)
    except NotAnAlert:
        return None

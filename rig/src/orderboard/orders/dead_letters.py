"""A message that rests in a dead-letter queue: which order it is about, and why it rests there. Pure."""

import json
from typing import Any

from orderboard_contracts.events import NotAnEvent, OrderPlaced, parse_event

from orderboard.ledger.ledger import DeadLetter
from orderboard.orders.queues import Message

# EventBridge writes these on what it could not deliver to a target.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
_ERROR_CODE, _ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"


def dead_letter(queue: str, message: Message) -> DeadLetter:
    """Read what the message is, and say why it is there as far as it shows."""
    fact = _fact_in(message.body)
    try:
        event = parse_event(message.body if fact is None else fact)
    except NotAnEvent as exc:
        return DeadLetter(queue, message.message_id, None, None, message.receive_count, f"no event: {exc}")
    if _ERROR_CODE in message.attributes:
        said = message.attributes.get(_ERROR_MESSAGE, "no further word")
        reason = f"EventBridge could not deliver it: {message.attributes[_ERROR_CODE]}, {said}"
    elif fact is None and isinstance(event, OrderPlaced) and event.data.fault is not None:
        reason = f"it carries the fault {event.data.fault}"
    else:
        reason = "its handling failed every time; the consumer's log says why"
    return DeadLetter(
        queue, message.message_id, event.subject, event.type, message.receive_count, reason, is_fact=fact is not None
    )


def _fact_in(body: str) -> dict[str, Any] | None:
    """The event inside of what EventBridge carries; None when the message did not come by EventBridge.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail if isinstance(detail, dict) else None

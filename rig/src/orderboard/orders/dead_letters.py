"""Dead letters: the messages in the dead-letter queues, with the order and the reason of each."""

import json
from dataclasses import dataclass
from typing import Any, Final

from orderboard_contracts.events import NotAnEvent, OrderPlaced, parse_event

from orderboard.orders.queues import Message, peek
from orderboard.system.target import Target

PLACED: Final[str] = OrderPlaced.model_fields["type"].default
# EventBridge writes these on what it could not deliver to a target.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
_ERROR_CODE, _ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. order_id and event_type are None when its body is not an event.

    is_fact: it came through the bus, to be announced. It does not say how its order ended.
    """

    queue: str
    message_id: str
    order_id: str | None
    event_type: str | None
    receive_count: int
    reason: str | None = None
    is_fact: bool = False

    @property
    def is_order(self) -> bool:
        """True if it is an order that was not made."""
        return self.event_type == PLACED and not self.is_fact


def dead_letter_queues(target: Target) -> tuple[str, ...]:
    """The names of all dead-letter queues, `undelivered` included."""
    return tuple(dlq or queue for queue, dlq in target.outputs.queue_pairs.values())


def dead_letters(target: Target) -> list[DeadLetter]:
    """Read every dead-letter queue without taking anything from it."""
    return [
        dead_letter(queue, message)
        for queue in dead_letter_queues(target)
        for message in peek(target.sqs, target.queue_url(queue))
    ]


def dead_letter(queue: str, message: Message) -> DeadLetter:
    """Parse a message, and give the reason why it is there as far as the message shows it."""
    fact = _fact_in(message.body)
    try:
        event = parse_event(message.body if fact is None else fact)
    except NotAnEvent as exc:
        return DeadLetter(queue, message.message_id, None, None, message.receive_count, f"not an event: {exc}")
    if _ERROR_CODE in message.attributes:
        detail = message.attributes.get(_ERROR_MESSAGE, "no details")
        reason = f"EventBridge could not deliver it: {message.attributes[_ERROR_CODE]}, {detail}"
    elif fact is None and isinstance(event, OrderPlaced) and event.data.fault is not None:
        reason = f"it carries the fault {event.data.fault}"
    else:
        reason = "handling failed at every receive; see the consumer's log"
    return DeadLetter(
        queue, message.message_id, event.subject, event.type, message.receive_count, reason, is_fact=fact is not None
    )


def order_id_in(body: str) -> str | None:
    """Return the id of the order that a command, an event or an alert is about, as it came or inside EventBridge's."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for each in (document, document.get("detail")) if isinstance(document, dict) else ():
        found = (each.get("subject") or each.get("order_id")) if isinstance(each, dict) else None
        if isinstance(found, str):
            return found
    return None


def _fact_in(body: str) -> dict[str, Any] | None:
    """The event inside EventBridge's own event; None when the message did not come through EventBridge.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail if isinstance(detail, dict) else None

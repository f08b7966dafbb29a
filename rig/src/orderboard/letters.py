"""A message that rests in a dead-letter queue: which order it is about, and why it rests there. Pure."""

from orderboard_contracts.events import NotAnEvent, OrderPlaced, parse_event

from orderboard.ledger import DeadLetter
from orderboard.queues import Message

# EventBridge writes these on what it could not deliver to a target.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
_ERROR_CODE, _ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"


def dead_letter(queue: str, message: Message) -> DeadLetter:
    """Read what the message is, and say why it is there as far as it shows."""
    try:
        event = parse_event(message.body)
    except NotAnEvent as exc:
        return DeadLetter(queue, message.message_id, None, None, message.receive_count, f"no event: {exc}")
    if _ERROR_CODE in message.attributes:
        said = message.attributes.get(_ERROR_MESSAGE, "no further word")
        reason = f"EventBridge could not deliver it: {message.attributes[_ERROR_CODE]}, {said}"
    elif isinstance(event, OrderPlaced) and event.data.fault is not None:
        reason = f"it carries the fault {event.data.fault}"
    else:
        reason = "its handling failed every time; the consumer's log says why"
    return DeadLetter(queue, message.message_id, event.subject, event.type, message.receive_count, reason)

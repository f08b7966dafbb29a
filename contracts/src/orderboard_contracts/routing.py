"""How events are addressed on SNS and EventBridge. The template's filter policies and rules use the same names."""

from typing import Final

from orderboard_contracts.events import Command, Event, OrderPlaced
from orderboard_contracts.order import Priority

EVENT_TYPE_ATTRIBUTE: Final = "event_type"
PRIORITY_ATTRIBUTE: Final = "priority"


def priority_of(command: Command) -> Priority:
    """Which queue a command belongs on. A cancellation is express: it is worth most before the order is made."""
    return command.data.priority if isinstance(command, OrderPlaced) else "express"


def message_attributes(command: Command) -> dict[str, str]:
    """The SNS message attributes that filter policies look at, by name. All are of type String."""
    return {EVENT_TYPE_ATTRIBUTE: command.type, PRIORITY_ATTRIBUTE: priority_of(command)}


def bus_entry(event: Event, bus_name: str) -> dict[str, str]:
    """A PutEvents request entry: `detail` is the CloudEvents document itself.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
    """
    return {
        "EventBusName": bus_name,
        "Source": event.source,
        "DetailType": event.type,
        "Detail": event.to_json(),
    }

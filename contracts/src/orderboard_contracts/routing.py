"""Addresses of events on SNS and EventBridge. The template's filter policies and rules use the same names."""

from typing import Final

from orderboard_contracts.events import Command, Event, OrderPlaced
from orderboard_contracts.order import Priority

EVENT_TYPE_ATTRIBUTE: Final = "event_type"
PRIORITY_ATTRIBUTE: Final = "priority"


def priority_of(command: Command) -> Priority:
    """Return the priority of a command. A cancellation is express: it is useful only before the order is made."""
    return command.data.priority if isinstance(command, OrderPlaced) else "express"


def message_attributes(command: Command) -> dict[str, str]:
    """Return the SNS message attributes for filter policies. All are of type String."""
    return {EVENT_TYPE_ATTRIBUTE: command.type, PRIORITY_ATTRIBUTE: priority_of(command)}


def bus_entry(event: Event, bus_name: str) -> dict[str, str]:
    """Return a PutEvents request entry. Its `Detail` is the CloudEvents document.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
    """
    return {"EventBusName": bus_name, "Source": event.source, "DetailType": event.type, "Detail": event.to_json()}

"""Addresses of events on SNS and EventBridge."""

import json

import pytest
from orderboard_contracts.events import CancellationRequested, Event, OrderPlaced, parse_event
from orderboard_contracts.routing import bus_entry, message_attributes, priority_of
from support.golden_samples import EVENT_SAMPLES

EVENTS = [parse_event(sample.read_text()) for sample in EVENT_SAMPLES]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_a_bus_entry_carries_the_event_itself(event: Event) -> None:
    """Source and detail type are those of the event, and the detail is the CloudEvents document."""
    entry = bus_entry(event, "orderboard")

    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("orderboard", event.source, event.type)
    assert parse_event(json.loads(entry["Detail"])) == event


@pytest.mark.parametrize("event", [event for event in EVENTS if isinstance(event, OrderPlaced)], ids=lambda e: e.id)
def test_an_order_goes_by_its_own_priority(event: OrderPlaced) -> None:
    """The attributes for filter policies are the order's type and priority."""
    assert message_attributes(event) == {"event_type": "orderboard.order.placed.v1", "priority": event.data.priority}


@pytest.mark.parametrize(
    "event", [event for event in EVENTS if isinstance(event, CancellationRequested)], ids=lambda event: event.id
)
def test_a_cancellation_is_express(event: CancellationRequested) -> None:
    """A cancellation is express, whatever the order's priority."""
    assert priority_of(event) == "express"
    assert message_attributes(event)["event_type"] == "orderboard.order.cancellation_requested.v1"

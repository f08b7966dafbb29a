"""The CloudEvents envelope around every event."""

import json

import pytest
from orderboard_contracts.events import Event, parse_event
from support.golden_samples import EVENT_SAMPLES

EVENTS = [parse_event(sample.read_text()) for sample in EVENT_SAMPLES]
# https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes
REQUIRED = {"id", "source", "specversion", "type"}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_event_is_a_cloud_event(event: Event) -> None:
    """Required attributes are present, optional ones are not null, and names have CloudEvents' form."""
    document = json.loads(event.to_json())

    assert set(document) >= REQUIRED
    assert document["specversion"] == "1.0"
    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in document)
    assert None not in document.values()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_the_subject_is_the_order(event: Event) -> None:
    """The subject names the order without a look at the data."""
    assert event.subject == event.data.order_id

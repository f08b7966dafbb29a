"""The trace and the order that a message names, whatever it is."""

import json

import pytest
from orderboard_contracts.trace_carrier import Carried

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_an_event_names_its_trace_and_its_order() -> None:
    """On a queue of SNS the body is the event; on one of EventBridge the event is its detail."""
    event = {"traceparent": TRACEPARENT, "tracestate": "a=1", "subject": "o-1", "correlationid": "c-1"}

    for body in (event, {"detail-type": "x", "detail": event}):
        assert Carried.by(json.dumps(body)) == Carried(TRACEPARENT, "a=1", "o-1", "c-1")


@pytest.mark.parametrize("body", ["", "no JSON", "[" * 10_000, "[]", "7", '{"detail": 7}', '{"subject": {}}'])
def test_what_is_no_event_names_nothing(body: str) -> None:
    """A poisonous message is logged, too."""
    assert Carried.by(body) == Carried()


@pytest.mark.parametrize("text", ["\ud800", "o-1\u001b[2J", "o-1\n", "o" * 129, "\u202eo-1"])
def test_an_id_that_no_log_can_hold_is_none(text: str) -> None:
    """Neither half a surrogate pair, control characters, nor a text as long as a message get into lines and spans."""
    assert Carried.by(json.dumps({"traceparent": TRACEPARENT, "subject": text, "correlationid": text})) == Carried(
        TRACEPARENT
    )
